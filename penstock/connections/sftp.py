"""An SFTP server, from which files are brought."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from penstock.connections.base import ConnectionSpec


def _folder(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("a folder on the server is named without `..`")
    return path.rstrip("/") or path[:1]


class SftpConnection(ConnectionSpec):
    """A folder on an SFTP server. A server whose key is not the expected one gets no credentials."""

    kind: Literal["sftp"]
    host: str = Field(min_length=1, description="Name or address, without `sftp://`.")
    port: int = Field(default=22, ge=1, le=65_535)
    path: Annotated[str, AfterValidator(_folder)] = Field(
        default=".", min_length=1, description="Folder below which all keys are; the user's own by default."
    )
    username: str = Field(min_length=1)
    password: SecretStr | None = None
    private_key: SecretStr | None = Field(default=None, description="The key itself, in OpenSSH's or PEM format.")
    passphrase: SecretStr | None = Field(default=None, description="What the private key is encrypted with.")
    host_keys: tuple[Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")], ...] = Field(
        default=(), description="Fingerprints of the server's keys, as `ssh-keygen -l` shows them (`SHA256:...`)."
    )
    known_hosts: str | None = Field(
        default=None, description="Or a file of known hosts in OpenSSH's format, where runs happen."
    )
    timeout_seconds: float = Field(default=30.0, gt=0)
    settle_seconds: float = Field(
        default=5.0, ge=0, description="Time between two looks at files: one that changes meanwhile is being written."
    )

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        if not self.host_keys and self.known_hosts is None:
            raise ValueError("say which server it is: its fingerprints in `host_keys`, or a file of `known_hosts`")
        if self.password is None and self.private_key is None:
            raise ValueError("give a `password`, a `private_key`, or both")
        return self
