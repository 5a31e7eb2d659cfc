"""Object stores."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from penstock.connections.base import Address, ConnectionSpec
from penstock.spec import Spec


class FolderConnection(Spec):
    """A folder that serves as an object store."""

    kind: Literal["folder"]
    path: str


CannedAcl = Literal[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]
"""What S3 calls a canned ACL ("Access control list overview", Canned ACL)."""


def _bucket_prefix(prefix: str) -> str:
    if prefix and not all(part.strip() and part not in {".", ".."} for part in prefix.split("/")):
        raise ValueError("a prefix is parts joined by single slashes, such as lake/acme, without a slash at its ends")
    return prefix


class S3Connection(ConnectionSpec):
    """A bucket, or a prefix of one, that serves as an object store.

    Without keys and profile, boto3's own chain decides: the environment, the shared files, the machine's role.
    """

    kind: Literal["s3"]
    bucket: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$")] = Field(
        description="The bucket's name, without `s3://`."
    )
    prefix: Annotated[str, AfterValidator(_bucket_prefix)] = Field(
        default="", max_length=512, description="Everything lives below it; no slash at its ends."
    )
    region: str | None = Field(default=None, description="The bucket's region; boto3's own chain decides if empty.")
    endpoint_url: Address | None = Field(default=None, description="Another address than Amazon's.")
    addressing: Literal["path", "virtual"] | None = Field(
        default=None,
        description="Whether the bucket is in the path or in the host's name; `path` at another address than Amazon's.",
    )
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    profile: str | None = Field(
        default=None, description="A profile of the machine's AWS configuration; an access key goes before its own."
    )
    role_arn: str | None = Field(
        default=None, description="A role to assume with those credentials; it is assumed anew before it expires."
    )
    external_id: SecretStr | None = Field(default=None, description="What the role's trust policy asks for.")
    sts_endpoint_url: Address | None = Field(
        default=None, description="Where the role is assumed; the region's own address at Amazon if empty."
    )
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = Field(
        default=None, description="Server-side encryption; the bucket's default if empty."
    )
    kms_key_id: str | None = Field(default=None, description="The KMS key's ARN; S3's own key if empty.")
    acl: CannedAcl | None = Field(default=None, description="Set on what is written; a bucket may refuse any.")

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key are given together")
        if self.session_token and not self.access_key_id:
            raise ValueError("session_token goes with access_key_id and secret_access_key")
        if not self.role_arn and (self.external_id or self.sts_endpoint_url):
            raise ValueError("external_id and sts_endpoint_url go with role_arn")
        if self.kms_key_id and self.encryption not in {"aws:kms", "aws:kms:dsse"}:
            raise ValueError("kms_key_id goes with encryption aws:kms or aws:kms:dsse")
        return self
