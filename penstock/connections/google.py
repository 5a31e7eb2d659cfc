"""A Google account: a person's consent, or a service account, for the Google APIs that sources read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address, ConnectionSpec


class GoogleRefreshToken(ConnectionSpec):
    """A person's consent to an OAuth client; Google's apps in status "Testing" lose it after seven days."""

    kind: Literal["refresh_token"]
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr


class GoogleServiceAccount(ConnectionSpec):
    """A service account's key, which may act for people of a domain that delegated that to it."""

    kind: Literal["service_account"]
    key: SecretStr = Field(description="The JSON key file's whole content.")
    subject: str | None = Field(
        default=None, description="Address of the person to act for; a mailbox has to be read as its owner."
    )


GoogleAuth = Annotated[GoogleRefreshToken | GoogleServiceAccount, Field(discriminator="kind")]


class GoogleConnection(ConnectionSpec):
    """A Google account, for Gmail and Google Sheets."""

    kind: Literal["google"]
    auth: GoogleAuth
    base_url: Address | None = Field(
        default=None, description="Another address than Google's own, for a sandbox; the API's path follows it."
    )
    token_url: Address | None = Field(
        default=None, description="Where tokens are issued; Google's own endpoint, or the one in the key, if empty."
    )
    gmail_units_per_minute: int | None = Field(
        default=None, ge=20, description="Quota units per mailbox. Default: Google's 6,000, or none at another address."
    )
    sheets_reads_per_minute: int | None = Field(
        default=None, ge=1, description="Reads of spreadsheets. Default: Google's 60, or none at another address."
    )
