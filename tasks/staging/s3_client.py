"""The client of one S3 connection: its credentials, its patience, and what its errors become.

botocore is used as it is under boto3: the store needs none of what boto3 adds to it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from penstock.connections import S3Connection
from penstock.errors import ConfigurationError
from tasks.staging.keys import MAXIMUM_KEY_BYTES, check_key
from tasks.staging.s3_errors import library_error, refusal

_SESSION_NAME = "penstock"
_STS_REGION = "us-east-1"


class S3Limits(NamedTuple):
    """Sizes and patience.

    Attributes:
        part_bytes: Of an upload. S3 wants 5 MiB at least and allows 10,000 parts, so parts grow as there are more.
        parts_at_once: Of an upload or a copy in flight; an upload holds one part more in memory.
        copy_bytes: Up to here an object is copied by one request; 5 GiB is S3's limit.
        copy_part_bytes: Of a copy by parts; 5 TiB, the largest object, are then 5,120 of them.
        attempts: Of one request, within seconds; minutes are the task's (`tasks.retries`).
        connect_seconds: Until a connection stands. An address that drops packets should not cost five minutes.
        read_seconds: Between two bytes of an answer. S3 sends blanks while it copies: silence is a dead connection.
    """

    part_bytes: int = 8 << 20
    parts_at_once: int = 2
    copy_bytes: int = 5 << 30
    copy_part_bytes: int = 1 << 30
    attempts: int = 5
    connect_seconds: float = 10
    read_seconds: float = 60


class S3Bucket:
    """A connection's bucket below its prefix. Many threads may call it."""

    def __init__(self, connection: S3Connection, limits: S3Limits) -> None:
        self.connection = connection
        self.limits = limits
        self.prefix = f"{connection.prefix}/" if connection.prefix else ""
        self.is_known = False

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.connection.bucket

    @property
    def write_options(self) -> dict[str, str]:
        """What every write and copy says of encryption and access."""
        connection = self.connection
        options = {
            "ServerSideEncryption": connection.encryption,
            "SSEKMSKeyId": connection.kms_key_id,
            "ACL": connection.acl,
        }
        return {name: value for name, value in options.items() if value}

    def full_key(self, key: str) -> str:
        """Returns the key in the bucket.

        Raises:
            ConfigurationError: the key is none that a store takes, or is too long below this prefix.
        """
        check_key(key)
        if len((full := self.prefix + key).encode()) > MAXIMUM_KEY_BYTES:
            raise ConfigurationError(
                "this object key cannot be used",
                guidance="Shorten the connection's `prefix` or the key.",
                key=ascii(key[:100]),
                reason=f"it has more than {MAXIMUM_KEY_BYTES} bytes with the store's prefix",
            )
        return full

    def call(self, operation: str, key: str, /, **arguments: Any) -> Any:
        """Calls one of S3's operations on an object and returns its answer.

        Args:
            operation: The client's method, such as `get_object`.
            key: The object's key in this store.
            arguments: The others that the operation takes.

        Raises:
            PenstockError: by `tasks.staging.s3_errors`.
        """
        full_key = self.full_key(key)
        with self.explained(key):
            answer = getattr(self.client(), operation)(Bucket=self.name, Key=full_key, **arguments)
        self.is_known = True
        return answer

    def client(self) -> Any:
        """Returns the client; connections of equal settings share one."""
        try:
            with _CLIENTS_LOCK:
                return _client(self.connection, self.limits)
        except ValueError as error:  # how botocore refuses an address that urllib takes
            raise ConfigurationError(
                "the AWS library cannot use the endpoint or region",
                guidance="Correct the connection's `endpoint_url` and `region`.",
                bucket=self.name,
                endpoint=self.connection.endpoint_url,
                region=self.connection.region,
            ) from error

    @contextmanager
    def explained(self, key: str | None, **facts: Any) -> Iterator[None]:
        """Turns an error of the AWS library into one of the tree."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise refusal(error, self.connection, key, **facts) from error
        except BotoCoreError as error:
            raise library_error(error, self.connection, key, **facts) from error


_CLIENTS_LOCK = threading.Lock()


@lru_cache(maxsize=16)
def _client(connection: S3Connection, limits: S3Limits) -> Any:
    """Makes a client (60 ms), kept so that a process's tasks share its connections and what throttling taught it."""
    from botocore.config import Config

    is_amazon = connection.endpoint_url is None
    config = Config(
        connect_timeout=limits.connect_seconds,
        read_timeout=limits.read_seconds,
        # Backs off with jitter, and slows all threads down together once S3 asks for it.
        retries={"mode": "adaptive", "total_max_attempts": limits.attempts},
        # Eight files of four datasets are staged at once, each by one request or `parts_at_once` of them.
        max_pool_connections=64,
        tcp_keepalive=True,
        # Servers that only resemble S3 refuse the checksums that Amazon's takes as trailers.
        request_checksum_calculation="when_supported" if is_amazon else "when_required",
        response_checksum_validation="when_supported" if is_amazon else "when_required",
        s3={"addressing_style": connection.addressing or ("auto" if is_amazon else "path")},
    )
    return _session(connection).create_client(
        "s3", region_name=connection.region, endpoint_url=connection.endpoint_url, config=config
    )


def _session(connection: S3Connection) -> Any:
    from botocore.session import Session

    session = Session(profile=connection.profile)
    if connection.access_key_id and connection.secret_access_key:
        token = connection.session_token
        session.set_credentials(
            connection.access_key_id,
            connection.secret_access_key.get_secret_value(),
            token.get_secret_value() if token else None,
        )
    if connection.role_arn is None:
        return session
    from botocore.credentials import CredentialResolver

    assumed = Session(profile=connection.profile)
    assumed.register_component("credential_provider", CredentialResolver([_AssumedRole(session, connection)]))
    return assumed


class _AssumedRole:
    """botocore's provider of a role's credentials; asks for new ones before they expire, an hour later by default."""

    METHOD = "assume-role"
    CANONICAL_NAME = None

    def __init__(self, caller: Any, connection: S3Connection) -> None:
        self._caller = caller
        self._connection = connection

    def load(self) -> Any:
        """Returns credentials that fetch themselves at first use."""
        from botocore.credentials import DeferredRefreshableCredentials

        return DeferredRefreshableCredentials(self._assume, self.METHOD)

    def _assume(self) -> dict[str, str]:
        connection = self._connection
        region = connection.region or self._caller.get_config_variable("region") or _STS_REGION
        client = self._caller.create_client("sts", region_name=region, endpoint_url=connection.sts_endpoint_url)
        arguments = {"RoleArn": connection.role_arn, "RoleSessionName": _SESSION_NAME}
        if connection.external_id:
            arguments["ExternalId"] = connection.external_id.get_secret_value()
        found = client.assume_role(**arguments)["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }
