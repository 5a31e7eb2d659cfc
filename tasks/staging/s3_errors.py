"""What S3's refusals and the AWS library's errors mean for whoever uses a bucket as a store.

One table by S3's error codes ("Error responses", S3 API Reference), one by the library's classes; what both lack is
told by the status. Messages of the other side are never repeated: they may name keys and what was signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.connections import S3Connection
from penstock.errors import (
    ConfigurationError,
    DataError,
    PenstockError,
    RateLimitedError,
    RejectedError,
    TransientError,
)

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError


BEYOND_THE_END = "InvalidRange"
"""S3's code for a range that begins at or after an object's end."""


class Failure(NamedTuple):
    """The error that a code becomes; `{right}` in the guidance is filled with the right that is missing."""

    kind: type[PenstockError]
    message: str
    guidance: str


_LATER = "The S3 client has tried again already; the task will try later."
_MISSING = Failure(DataError, "the store has no such object", "Check the key, and whether a clean-up removed it.")
_DENIED = Failure(
    RejectedError,
    "S3 denied access",
    "Allow {right} in the policy of these credentials' user or role; a bucket or key policy may also refuse it.",
)
_CREDENTIALS = Failure(
    RejectedError, "S3 did not accept the credentials", "Renew the access key of this connection, and check its secret."
)
_EXPIRED = Failure(
    RejectedError,
    "the credentials have expired",
    "Renew the session token, or give the connection a `role_arn`, whose credentials are renewed by themselves.",
)
_REGION = Failure(
    ConfigurationError, "the bucket is in another region", "Set the connection's `region` to the bucket's."
)
_THROTTLED = Failure(RateLimitedError, "S3 asked for a slower pace", _LATER)
_FAILED = Failure(TransientError, "S3 failed", _LATER)
_UNREACHABLE = Failure(
    TransientError,
    "S3 cannot be reached",
    "Check the network and the connection's `endpoint_url`; the task will try again later.",
)
_BROKEN = Failure(TransientError, "the connection to S3 broke", _LATER)
_CHANGED = Failure(
    DataError,
    "the object changed while it was being read or copied",
    "Run the pipeline again: a new run lists the files as they are now.",
)
_KMS = Failure(
    RejectedError,
    "S3 cannot use the KMS key",
    "Set `kms_key_id` to the ARN of an enabled key in the bucket's region that these credentials may use.",
)
_REFUSED = Failure(
    RejectedError,
    "S3 refused the request",
    "Look the code up among S3's error responses; the request was not repeated.",
)
_NO_CREDENTIALS = Failure(
    ConfigurationError,
    "no AWS credentials were found",
    "Give the connection an access key, a `profile` or a block, or run where the machine has a role.",
)
_PROFILE = Failure(
    ConfigurationError,
    "the AWS profile cannot be used",
    "Check the connection's `profile`, AWS_PROFILE and the AWS configuration of the machine that runs this.",
)
_SSO = Failure(RejectedError, "the AWS login has ended", "Log in again (`aws sso login`), or use keys or a role.")
_RETRIEVAL = Failure(
    RejectedError,
    "AWS credentials could not be fetched",
    "Check the machine's role, or the profile's `credential_process`.",
)
_CERTIFICATE = Failure(
    ConfigurationError,
    "the endpoint's certificate is not trusted",
    "Point AWS_CA_BUNDLE at the authority's certificate, or correct `endpoint_url`.",
)
_LIBRARY = Failure(
    ConfigurationError, "the AWS library refused the call", "Compare the connection's settings with docs/stores.md."
)

FAILURES: dict[str, Failure] = {
    "NoSuchKey": _MISSING,
    "NoSuchBucket": Failure(
        ConfigurationError, "there is no such bucket", "Correct the connection's `bucket`, or create it first."
    ),
    "InvalidBucketName": Failure(
        ConfigurationError, "S3 allows no such bucket name", "Correct the connection's `bucket`."
    ),
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "InvalidSecurity": _CREDENTIALS,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "RequestTimeTooSkewed": Failure(
        ConfigurationError, "the clock of this machine is wrong", "Set it by NTP: S3 allows 15 minutes."
    ),
    "PermanentRedirect": _REGION,
    "TemporaryRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "SlowDown": _THROTTLED,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "TooManyRequests": _THROTTLED,
    "BandwidthLimitExceeded": _THROTTLED,
    "InternalError": _FAILED,
    "ServiceUnavailable": _FAILED,
    "OperationAborted": _FAILED,
    "BadDigest": _BROKEN,
    "XAmzContentSHA256Mismatch": _BROKEN,
    "IncompleteBody": _BROKEN,
    "RequestTimeout": _BROKEN,
    "NoSuchUpload": Failure(
        TransientError,
        "the upload was ended by somebody else",
        "Give the bucket's rule for incomplete uploads a day or more; the task will begin a new upload.",
    ),
    "PreconditionFailed": _CHANGED,
    BEYOND_THE_END: Failure(DataError, "the range begins beyond the object's end", "Look at the object's size first."),
    "InvalidObjectState": Failure(
        RejectedError, "the object is archived", "Restore it in S3 first, or leave archived objects out of the `glob`."
    ),
    "EntityTooLarge": Failure(RejectedError, "the object is larger than S3 allows", "Write it as several files."),
    "KeyTooLongError": Failure(ConfigurationError, "the key is too long for S3", "Shorten the connection's `prefix`."),
    "AccessControlListNotSupported": Failure(
        ConfigurationError,
        "the bucket allows no ACL",
        "Remove `acl`: the bucket's owner owns every object in it already.",
    ),
    "NotImplemented": Failure(
        RejectedError,
        "this store lacks a part of S3 that was asked for",
        "Remove `acl` or `encryption`, or use another store.",
    ),
    "KMS.DisabledException": _KMS,
    "KMS.NotFoundException": _KMS,
    "KMS.KMSInvalidStateException": _KMS,
    "KMS.InvalidArnException": _KMS,
}
"""By S3's or STS's error code."""

LIBRARY_FAILURES: dict[str, Failure] = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "ProfileNotFound": _PROFILE,
    "ConfigNotFound": _PROFILE,
    "ConfigParseError": _PROFILE,
    "InvalidConfigError": _PROFILE,
    "UnknownCredentialError": _PROFILE,
    "SSOError": _SSO,
    "LoginError": _SSO,
    "TokenRetrievalError": _SSO,
    "NoAuthTokenError": _SSO,
    "RefreshWithMFAUnsupportedError": _SSO,
    "CredentialRetrievalError": _RETRIEVAL,
    "MetadataRetrievalError": _BROKEN,
    "EndpointConnectionError": _UNREACHABLE,
    "ConnectTimeoutError": _UNREACHABLE,
    "ProxyConnectionError": _UNREACHABLE,
    "HTTPClientError": _BROKEN,
    "ConnectionError": _BROKEN,
    "IncompleteReadError": _BROKEN,
    "ChecksumError": _BROKEN,
    "FlexibleChecksumError": _BROKEN,
    "CapacityNotAvailableError": _THROTTLED,
    "InvalidRegionError": Failure(ConfigurationError, "this is no region's name", "Correct the connection's `region`."),
    "NoRegionError": Failure(ConfigurationError, "no region is set", "Set the connection's `region`."),
}
"""By class of `botocore.exceptions`; a class that is missing here has its nearest parent's."""

_BY_STATUS = {301: _REGION, 307: _REGION, 401: _CREDENTIALS, 403: _DENIED, 412: _CHANGED, 429: _THROTTLED}
_FIRST_SERVER_ERROR = 500

_RIGHTS = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "CopyObject": "s3:PutObject here and s3:GetObject on the source",
    "UploadPartCopy": "s3:PutObject here and s3:GetObject on the source",
    "AssumeRole": "sts:AssumeRole on the role, and this caller in the role's trust policy,",
}
_WRITING_RIGHT = "s3:PutObject"
# AWS names what is missing since 2023 ("Troubleshoot access denied errors", IAM User Guide).
_NAMED_RIGHT = re.compile(r"not authorized to perform: ([a-z0-9-]{2,30}:[A-Za-z]{3,60})\b")
_NAMED_REASON = re.compile(r"\b(no [a-z-]{3,30} policy allows|explicit deny in an? [a-z -]{3,40} policy)\b")


def refusal(error: ClientError, connection: S3Connection, key: str | None, **facts: Any) -> PenstockError:
    """Returns the tree's error for an answer of S3 or STS; raise it `from` the library's.

    Args:
        error: What the library made of the answer.
        connection: Whose store was asked.
        key: The object that it was about, as the store names it.
        facts: More to say.
    """
    response: Mapping[str, Any] = error.response
    details = response.get("Error", {})
    code = str(details.get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    failure = _failure_of(code, status)
    facts = {"bucket": connection.bucket, "key": key, **facts, "operation": error.operation_name, "code": code}
    guidance = failure.guidance
    if failure is _DENIED:
        message = str(details.get("Message", ""))
        right = _missing_right(error.operation_name, message, has_acl=connection.acl is not None)
        reason = _NAMED_REASON.search(message)
        facts |= {"missing_right": right.rstrip(","), "reason": reason[1] if reason else None}
        guidance = guidance.replace("{right}", right)
    if failure is _REGION:
        facts["bucket_region"] = headers.get("x-amz-bucket-region") or details.get("Region")
        facts["configured_region"] = connection.region
    if failure.kind is RateLimitedError:
        facts["retry_after_seconds"] = _seconds(headers.get("retry-after"))
    facts["request_id"] = headers.get("x-amz-request-id")
    return failure.kind(failure.message, guidance=guidance, **facts)


def library_error(error: BotoCoreError, connection: S3Connection, key: str | None, **facts: Any) -> PenstockError:
    """Returns the tree's error for what the AWS library itself raised; raise it `from` that."""
    found = (LIBRARY_FAILURES[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in LIBRARY_FAILURES)
    failure = next(found, _LIBRARY)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        failure = _CERTIFICATE
    return failure.kind(
        failure.message,
        guidance=failure.guidance,
        bucket=connection.bucket,
        key=key,
        **facts,
        endpoint=connection.endpoint_url,
        profile=connection.profile,
        cause=type(error).__name__,
    )


def _failure_of(code: str, status: int) -> Failure:
    if code in FAILURES:
        return FAILURES[code]
    if code.startswith("KMS."):
        return _KMS
    if status >= _FIRST_SERVER_ERROR:
        return _FAILED
    return _BY_STATUS.get(status, _REFUSED)


def _missing_right(operation: str, message: str, *, has_acl: bool) -> str:
    named = _NAMED_RIGHT.search(message)
    if named:
        return named[1]
    right = _RIGHTS.get(operation, _WRITING_RIGHT)
    return right.replace(_WRITING_RIGHT, f"{_WRITING_RIGHT} and s3:PutObjectAcl") if has_acl else right


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdigit() else None
