"""The block of an S3 bucket that serves as an object store, on the credentials of prefect-aws."""

from __future__ import annotations

from typing import Literal

from prefect_aws.credentials import AwsCredentials
from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import Address, CannedAcl, S3Connection
from penstock.errors import ConfigurationError

# What AwsCredentials may say that an S3Connection cannot; left out silently, requests would go elsewhere, or be allowed
# more than was meant. The version of an API, a session's name and its length change nothing of that kind.
_CLIENT_SETTINGS = ("use_ssl", "verify", "verify_cert_path", "config")
_IGNORED_ROLE_SETTINGS = {"RoleSessionName", "DurationSeconds"}
_EXTERNAL_ID = "ExternalId"


class S3Store(ConnectionBlock):
    """A bucket, or a prefix of one, and the AWS credentials to reach it with.

    Example:
        Load a stored bucket:
        ```python
        from blocks.s3 import S3Store

        connection = S3Store.load("lake").to_connection()
        ```
    """

    _block_type_name = "Penstock S3"
    _block_type_slug = "penstock-s3"
    _documentation_url = HttpUrl("https://docs.prefect.io/integrations/prefect-aws")

    bucket: str = Field(min_length=3, max_length=63, title="Bucket", description="The bucket's name alone.")
    credentials: AwsCredentials | None = Field(
        default=None,
        title="AWS credentials",
        description="Keys, profile, role, region and endpoint; the worker's own (environment, role) if empty.",
    )
    addressing: Literal["path", "virtual"] | None = Field(
        default=None,
        title="Addressing",
        description="Whether the bucket is in the path or in the host's name; `path` at another address than Amazon's.",
    )
    sts_endpoint_url: Address | None = Field(
        default=None,
        title="STS endpoint",
        description="Where the credentials' role is assumed; the region's own address at Amazon if empty.",
    )
    prefix: str = Field(default="", title="Prefix", description="Everything lives below it; no slash at its ends.")
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = Field(
        default=None, title="Encryption", description="Of what is written, by the server; the bucket's own if empty."
    )
    kms_key_id: str | None = Field(
        default=None, title="KMS key", description="For `aws:kms`: the key's id or ARN; the account's own if empty."
    )
    acl: CannedAcl | None = Field(default=None, title="ACL", description="A canned ACL of what is written.")

    def to_connection(self) -> S3Connection:
        """Returns the connection that the block holds.

        Raises:
            ConfigurationError: The credentials have settings that the store would not follow.
            ValidationError: Settings do not go together.
        """
        aws = self.credentials or AwsCredentials()
        _refuse_unused(aws)
        role = aws.assume_role_kwargs
        token = aws.aws_session_token
        return S3Connection(
            kind="s3",
            bucket=self.bucket,
            prefix=self.prefix,
            region=aws.region_name,
            endpoint_url=aws.aws_client_parameters.endpoint_url,
            addressing=self.addressing,
            access_key_id=aws.aws_access_key_id,
            secret_access_key=aws.aws_secret_access_key,
            session_token=SecretStr(token) if token else None,
            profile=aws.profile_name,
            role_arn=aws.assume_role_arn,
            external_id=SecretStr(role.ExternalId) if role.ExternalId else None,
            sts_endpoint_url=self.sts_endpoint_url,
            encryption=self.encryption,
            kms_key_id=self.kms_key_id,
            acl=self.acl,
        )


def _refuse_unused(aws: AwsCredentials) -> None:
    client, role = aws.aws_client_parameters, aws.assume_role_kwargs
    unused = [
        f"aws_client_parameters.{name}"
        for name in _CLIENT_SETTINGS
        if getattr(client, name) != type(client).model_fields[name].default
    ]
    # With an endpoint, its scheme says whether SSL is used, and boto3 ignores the setting.
    if client.endpoint_url and "aws_client_parameters.use_ssl" in unused:
        unused.remove("aws_client_parameters.use_ssl")
    known = {_EXTERNAL_ID, *_IGNORED_ROLE_SETTINGS}
    unused += [
        f"assume_role_kwargs.{name}"
        for name in type(role).model_fields
        if name not in known and getattr(role, name) is not None
    ]
    if unused:
        raise ConfigurationError(
            "the AWS credentials have settings that Penstock's S3 store does not use",
            guidance="Give the store credentials of its own without them.",
            settings=", ".join(unused),
        )
