"""The block of an SFTP server."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import SftpConnection


class SftpServer(ConnectionBlock):
    """A folder on an SFTP server, and a user's password or key.

    Example:
        Load stored credentials:
        ```python
        from blocks.sftp import SftpServer

        connection = SftpServer.load("warbyparker-vendor").to_connection()
        ```
    """

    _block_type_name = "Penstock SFTP"
    _block_type_slug = "penstock-sftp"
    _documentation_url = HttpUrl("https://man.openbsd.org/ssh-keygen")

    host: str = Field(title="Host", description="Name or address of the server, without `sftp://`.")
    port: int = Field(default=22, ge=1, le=65_535, title="Port", description="Where the server listens.")
    path: str = Field(default=".", title="Folder", description="Below it are all files; the user's own by default.")
    username: str = Field(title="User", description="Whose files are read.")
    password: SecretStr | None = Field(default=None, title="Password", description="The user's; or a private key.")
    private_key: SecretStr | None = Field(
        default=None, title="Private key", description="The key itself, in OpenSSH's or PEM format."
    )
    passphrase: SecretStr | None = Field(
        default=None, title="Passphrase", description="What the private key is encrypted with."
    )
    host_keys: list[str] = Field(
        default_factory=list,
        title="Host keys",
        description="Fingerprints of the server's keys (`SHA256:...`); another server gets no credentials.",
    )
    known_hosts: str | None = Field(
        default=None, title="Known hosts", description="Or a file of known hosts, where runs happen."
    )
    timeout_seconds: float = Field(default=30.0, gt=0, title="Time limit", description="For each answer, in seconds.")
    settle_seconds: float = Field(
        default=5.0, ge=0, title="Time to settle", description="Seconds between two looks at files being written."
    )

    def to_connection(self) -> SftpConnection:
        """Returns the connection that the block holds."""
        return SftpConnection(
            kind="sftp",
            host=self.host,
            port=self.port,
            path=self.path,
            username=self.username,
            password=self.password,
            private_key=self.private_key,
            passphrase=self.passphrase,
            host_keys=tuple(self.host_keys),
            known_hosts=self.known_hosts,
            timeout_seconds=self.timeout_seconds,
            settle_seconds=self.settle_seconds,
        )
