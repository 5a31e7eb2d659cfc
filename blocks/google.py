"""The block of a Google account."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, HttpUrl, SecretStr, TypeAdapter, model_validator

from blocks.base import ConnectionBlock
from penstock.connections import GoogleAuth, GoogleConnection

AuthKind = Literal["refresh_token", "service_account"]

# What each kind needs of the flat fields below, by the name that the connection has for it. Flat, because Prefect's
# forms cannot show a choice between models (PrefectHQ/prefect#18445).
_REQUIRED: dict[AuthKind, dict[str, str]] = {
    "refresh_token": {"client_id": "client_id", "client_secret": "client_secret", "refresh_token": "refresh_token"},
    "service_account": {"key": "service_account_key"},
}
_OPTIONAL: dict[AuthKind, dict[str, str]] = {"service_account": {"subject": "subject"}}


class GoogleCredentials(ConnectionBlock):
    """A Google account for Gmail and Google Sheets: a person's consent, or a service account.

    Example:
        Load stored credentials:
        ```python
        from blocks.google import GoogleCredentials

        connection = GoogleCredentials.load("warbyparker").to_connection()
        ```
    """

    _block_type_name = "Penstock Google"
    _block_type_slug = "penstock-google"
    _documentation_url = HttpUrl("https://developers.google.com/identity/protocols/oauth2")

    auth: AuthKind = Field(title="Credentials", description="Which of the fields below are used.")
    client_id: str | None = Field(default=None, title="Client id", description="For `refresh_token`: the OAuth client.")
    client_secret: SecretStr | None = Field(default=None, title="Client secret", description="For `refresh_token`.")
    refresh_token: SecretStr | None = Field(
        default=None, title="Refresh token", description="For `refresh_token`: what the person's consent gave."
    )
    service_account_key: SecretStr | None = Field(
        default=None, title="Service account key", description="For `service_account`: the JSON key file's content."
    )
    subject: str | None = Field(
        default=None,
        title="Act for",
        description="For `service_account`: the person whose mailbox is read, by domain-wide delegation.",
    )
    base_url: str | None = Field(
        default=None, title="Another address", description="Only for a sandbox: tokens are sent there."
    )
    token_url: str | None = Field(
        default=None, title="Token address", description="Only for a sandbox: credentials are sent there."
    )
    gmail_units_per_minute: int | None = Field(
        default=None,
        ge=20,
        title="Gmail units per minute",
        description="Quota units a mailbox may use; Google's 6,000 if empty.",
    )
    sheets_reads_per_minute: int | None = Field(
        default=None,
        ge=1,
        title="Sheets reads per minute",
        description="Reads of spreadsheets; Google's 60 if empty.",
    )

    @model_validator(mode="after")
    def _has_what_its_credentials_need(self) -> GoogleCredentials:
        missing = [field for field in _REQUIRED[self.auth].values() if getattr(self, field) is None]
        if missing:
            raise ValueError(f"`{self.auth}` credentials need {', '.join(missing)}")
        return self

    def to_connection(self) -> GoogleConnection:
        """Returns the connection that the block holds."""
        fields = {**_REQUIRED[self.auth], **_OPTIONAL.get(self.auth, {})}
        auth: dict[str, Any] = {"kind": self.auth} | {name: getattr(self, field) for name, field in fields.items()}
        return GoogleConnection(
            kind="google",
            auth=TypeAdapter[GoogleAuth](GoogleAuth).validate_python(auth),
            base_url=self.base_url,
            token_url=self.token_url,
            gmail_units_per_minute=self.gmail_units_per_minute,
            sheets_reads_per_minute=self.sheets_reads_per_minute,
        )
