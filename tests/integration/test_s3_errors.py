"""What a store in S3 says when something is wrong: a server that checks rights, and the answers that S3 documents."""

from __future__ import annotations

import inspect
import json
import pickle
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore import exceptions as library

from penstock.connections import S3Connection
from penstock.errors import (
    ConfigurationError,
    DataError,
    PenstockError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from tasks.staging.s3 import S3Store
from tasks.staging.s3_client import S3Limits
from tasks.staging.s3_errors import FAILURES, LIBRARY_FAILURES, library_error
from tests.fakes.moto_server import MotoServer, moto_server
from tests.fakes.scripted_api import Answer, Asked, scripted_api

ONCE = S3Limits(attempts=1, connect_seconds=0.5, read_seconds=0.5)
SECRET = "wJalrXUtnFEMI-s3cret"


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "stores.md"
WRITE_ONLY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::guarded/*"}],
}


def documented_policies() -> list[dict[str, Any]]:
    """The policies that the documentation gives to the lake and to who reads a source."""
    return [
        json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    ]


class Guarded(NamedTuple):
    """A server that looks at credentials and rights, and the keys of its users."""

    server: MotoServer
    keys: dict[str, dict[str, str]]

    def store(self, bucket: str = "guarded", *, user: str = "writer", **settings: Any) -> S3Store:
        return S3Store(self.server.connection(bucket, **{**self.keys[user], **settings}), ONCE)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    lake, source = documented_policies()
    with moto_server() as server:
        for bucket in ("guarded", "acme-lake", "acme-drops"):
            server.make_bucket(bucket)
        server.client("s3").put_object(Bucket="acme-drops", Key="in/a.csv", Body=b"x" * (7 << 20))
        keys = {
            "writer": _make_user(server, "writer", [WRITE_ONLY]),
            "lake": _make_user(server, "lake", [lake, source]),
            "source": _make_user(server, "source", [source]),
        }
        request = urllib.request.Request(f"{server.url}/moto-api/reset-auth", data=b"0", method="POST")  # noqa: S310
        request.add_header("Content-Type", "text/plain")
        with urllib.request.urlopen(request):  # noqa: S310
            pass
        yield Guarded(server, keys)


def _make_user(server: MotoServer, name: str, policies: list[dict[str, Any]]) -> dict[str, str]:
    iam = server.client("iam")
    iam.create_user(UserName=name)
    for number, policy in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=str(number), PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}


def test_the_documented_policies_are_enough_and_not_more(guarded: Guarded) -> None:
    lake = guarded.store("acme-lake", user="lake", prefix="lake")
    lake.bucket.limits = S3Limits(part_bytes=5 << 20, copy_bytes=6 << 20, copy_part_bytes=5 << 20)
    drops = guarded.store("acme-drops", user="source", prefix="in")
    assert [info.key for info in drops.list("")] == ["a.csv"]
    put(lake, "small")
    put(lake, "large", b"x" * (6 << 20))
    with pytest.raises(ZeroDivisionError), lake.open_write("given-up") as file:
        file.write(b"x" * (11 << 20))
        raise ZeroDivisionError
    assert lake.copy_in(drops, "a.csv", "by-parts").size_bytes == 7 << 20
    assert lake.copy_in(lake, "small", "whole").size_bytes == 1
    assert lake.read_range("by-parts", 0, 3) == b"xxx"
    lake.delete("small")
    assert lake.stat("small") is None
    assert [info.key for info in lake.list("")] == ["by-parts", "large", "whole"]
    for refused in (lambda: put(drops), lambda: put(guarded.store("acme-lake", user="lake", prefix="elsewhere"))):
        with pytest.raises(RejectedError, match="denied") as caught:
            refused()
        assert caught.value.missing_right == "s3:PutObject"


def put(store: S3Store, key: str = "a/b.csv", content: bytes = b"x") -> None:
    with store.open_write(key) as file:
        file.write(content)


USES: dict[str, Callable[[S3Store], Any]] = {
    "s3:GetObject": lambda store: store.open_read("a/b.csv"),
    "s3:ListBucket": lambda store: [*store.list("a/")],
    "s3:DeleteObject": lambda store: store.delete("a/b.csv"),
}


@pytest.mark.parametrize("right", USES)
def test_a_right_that_is_missing_is_named_with_what_it_was_needed_for(guarded: Guarded, right: str) -> None:
    put(guarded.store())
    with pytest.raises(RejectedError, match="S3 denied access") as caught:
        USES[right](guarded.store())
    assert caught.value.missing_right == right
    assert f"Allow {right} in the policy" in str(caught.value)
    assert caught.value.bucket == "guarded"
    assert caught.value.facts["key"] == ("a/b.csv" if right != "s3:ListBucket" else None)


def test_a_denied_look_at_an_object_is_no_missing_object(guarded: Guarded) -> None:
    with pytest.raises(RejectedError) as caught:
        guarded.store().stat("a/b.csv")
    assert caught.value.missing_right == "s3:GetObject"


@pytest.mark.parametrize("settings", [{"access_key_id": "AKIANOBODY"}, {"secret_access_key": SECRET}])
def test_wrong_keys_are_told_from_missing_rights(guarded: Guarded, settings: dict[str, str]) -> None:
    for use in (*USES.values(), put, lambda store: store.stat("a/b.csv")):
        with pytest.raises(RejectedError, match="did not accept the credentials") as caught:
            use(guarded.store(**settings))
        assert SECRET not in str(caught.value)
        assert guarded.keys["writer"]["secret_access_key"] not in str(caught.value)


def test_a_missing_bucket_is_never_an_empty_one(s3_server: MotoServer) -> None:
    for use in (*USES.values(), put, lambda store: store.stat("a/b.csv"), lambda store: store.copy_in(store, "a", "b")):
        store = S3Store(s3_server.connection("no-such-bucket"), ONCE)
        with pytest.raises(ConfigurationError, match="there is no such bucket") as caught:
            use(store)
        assert caught.value.bucket == "no-such-bucket"
        assert "create it" in caught.value.guidance


def test_where_the_source_may_not_be_read_with_our_keys_its_own_are_used(
    s3_server: MotoServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A vendor's bucket, which only the vendor's keys may read."""
    with scripted_api(_two_identities) as api:
        ours = S3Store(s3_server.connection("our-lake", endpoint_url=api.url), ONCE)
        theirs = S3Store(
            s3_server.connection("their-drops", endpoint_url=api.url, access_key_id="THEIRS", secret_access_key=SECRET),
            ONCE,
        )
        assert ours.copy_in(theirs, "a.csv", "stage/a.csv").size_bytes == 3
        assert "copied through this process" in caplog.text
        with pytest.raises(RejectedError, match="denied"):
            ours.copy_in(S3Store(s3_server.connection("their-drops", endpoint_url=api.url)), "a.csv", "b.csv")
    written = [asked.body for asked in api.asked if asked.method == "PUT" and "x-amz-copy-source" not in asked.headers]
    assert written == [b"a,b"]


def _two_identities(asked: Asked) -> Answer:
    headers = {"ETag": '"e"', "Last-Modified": "Fri, 20 Mar 2026 12:00:00 GMT"}
    if "x-amz-copy-source" in asked.headers:
        return Answer("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", status=403)
    return Answer(b"a,b" if asked.method in {"GET", "HEAD"} else b"", headers=headers)


def error_body(code: str, message: str = "S3's own words", more: str = "") -> str:
    """The shape of "REST error responses" in the S3 API Reference."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message>{more}'
        f"<AWSAccessKeyId>AKIASHOWN</AWSAccessKeyId><StringToSign>{SECRET}</StringToSign>"
        "<RequestId>4442587FB7D0A2F9</RequestId><HostId>h</HostId></Error>"
    )


NOT_AUTHORIZED = (
    "User: arn:aws:iam::123456789012:user/loader is not authorized to perform: {right} on resource: "
    '"arn:aws:s3:::acme-lake/a/b.csv" because no identity-based policy allows the {right} action'
)

ANSWERS: list[tuple[str, int, str, dict[str, str], type[PenstockError], dict[str, Any]]] = [
    ("ExpiredToken", 400, "", {}, RejectedError, {"message": "the credentials have expired"}),
    ("InvalidAccessKeyId", 403, "", {}, RejectedError, {"message": "S3 did not accept the credentials"}),
    ("SignatureDoesNotMatch", 403, "", {}, RejectedError, {"message": "S3 did not accept the credentials"}),
    (
        "AuthorizationHeaderMalformed",
        400,
        "<Region>eu-west-1</Region>",
        {},
        ConfigurationError,
        {"bucket_region": "eu-west-1", "configured_region": "us-east-1"},
    ),
    (
        "PermanentRedirect",
        301,
        "<Endpoint>acme-lake.s3.eu-west-1.amazonaws.com</Endpoint>",
        {"x-amz-bucket-region": "eu-west-1"},
        ConfigurationError,
        {"bucket_region": "eu-west-1"},
    ),
    ("SlowDown", 503, "", {"Retry-After": "7"}, RateLimitedError, {"retry_after_seconds": 7.0}),
    ("InternalError", 500, "", {}, TransientError, {"message": "S3 failed"}),
    ("ServiceUnavailable", 503, "", {}, TransientError, {}),
    ("RequestTimeout", 400, "", {}, TransientError, {}),
    ("KMS.NotFoundException", 400, "", {}, RejectedError, {"message": "S3 cannot use the KMS key"}),
    ("KMS.SomethingNewException", 400, "", {}, RejectedError, {"message": "S3 cannot use the KMS key"}),
    ("AccessControlListNotSupported", 400, "", {}, ConfigurationError, {"message": "the bucket allows no ACL"}),
    ("RequestTimeTooSkewed", 403, "", {}, ConfigurationError, {"message": "the clock of this machine is wrong"}),
    ("NoSuchBucket", 404, "", {}, ConfigurationError, {}),
    ("InvalidObjectState", 403, "", {}, RejectedError, {"message": "the object is archived"}),
    ("SomethingNew", 418, "", {}, RejectedError, {"message": "S3 refused the request"}),
    ("SomethingNew", 502, "", {}, TransientError, {"message": "S3 failed"}),
]


@pytest.mark.parametrize(
    ("code", "status", "more", "headers", "kind", "facts"), ANSWERS, ids=[f"{row[0]}-{row[1]}" for row in ANSWERS]
)
@pytest.mark.parametrize("use", ["put", "stat", "list"])
def test_an_answer_of_s3_is_an_error_of_the_tree(
    s3_server: MotoServer,
    code: str,
    status: int,
    more: str,
    headers: dict[str, str],
    kind: type[PenstockError],
    facts: dict[str, Any],
    use: str,
) -> None:
    uses: dict[str, Callable[[S3Store], Any]] = {
        "put": put,
        "stat": lambda store: store.stat("a/b.csv"),
        "list": lambda store: [*store.list("a/")],
    }
    with scripted_api(lambda _: Answer(error_body(code, more=more), status=status, headers=headers)) as api:
        store = S3Store(s3_server.connection("acme-lake", endpoint_url=api.url, secret_access_key=SECRET), ONCE)
        with pytest.raises(kind) as caught:
            uses[use](store)
    error = caught.value
    assert type(error) is kind
    assert error.guidance
    assert (error.bucket, error.code) == ("acme-lake", code)
    for name, value in facts.items():
        assert getattr(error, name) == value, name
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    for hidden in (SECRET, "AKIASHOWN", "own words"):
        assert hidden not in str(error) + str(again) + str(error.context())


@pytest.mark.parametrize(
    ("message", "settings", "right"),
    [
        (NOT_AUTHORIZED.format(right="kms:GenerateDataKey"), {}, "kms:GenerateDataKey"),
        (NOT_AUTHORIZED.format(right="s3:PutObjectAcl"), {"acl": "private"}, "s3:PutObjectAcl"),
        ("Access Denied", {"acl": "bucket-owner-full-control"}, "s3:PutObject and s3:PutObjectAcl"),
        ("Access Denied", {}, "s3:PutObject"),
    ],
)
def test_the_right_that_aws_names_goes_before_the_one_that_is_likely(
    s3_server: MotoServer, message: str, settings: dict[str, str], right: str
) -> None:
    with scripted_api(lambda _: Answer(error_body("AccessDenied", message), status=403)) as api:
        store = S3Store(s3_server.connection("acme-lake", endpoint_url=api.url, **settings), ONCE)
        with pytest.raises(RejectedError) as caught:
            put(store)
    assert caught.value.missing_right == right
    assert caught.value.key == "a/b.csv"
    assert f"Allow {right} in" in caught.value.guidance
    assert "arn:aws:iam" not in str(caught.value)
    assert caught.value.facts["reason"] == ("no identity-based policy allows" if "User:" in message else None)


def test_a_slower_pace_is_kept_and_the_call_succeeds(s3_server: MotoServer) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(error_body("SlowDown"), status=503) if asked.number < 2 else Answer()

    with scripted_api(answer) as api:
        put(S3Store(s3_server.connection("acme-lake", endpoint_url=api.url), ONCE._replace(attempts=5)))
    assert len(api.asked) == 3


def test_a_role_that_may_not_be_assumed_says_so(s3_server: MotoServer) -> None:
    body = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>"
        "User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: "
        "arn:aws:iam::123456789012:role/penstock</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
    with scripted_api(lambda _: Answer(body, status=403)) as api:
        connection = s3_server.connection(
            "acme-lake",
            role_arn="arn:aws:iam::123456789012:role/penstock",
            external_id=SECRET,
            sts_endpoint_url=api.url,
        )
        with pytest.raises(RejectedError) as caught:
            S3Store(connection, ONCE).stat("a")
    assert (caught.value.operation, caught.value.missing_right) == ("AssumeRole", "sts:AssumeRole")
    assert SECRET not in str(caught.value)


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no profile, and no metadata service to ask for the machine's role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("settings", [{}, {"role_arn": "arn:aws:iam::123456789012:role/penstock"}])
def test_no_credentials_anywhere_is_a_matter_of_configuration(settings: dict[str, str]) -> None:
    connection = S3Connection.model_validate(
        {"kind": "s3", "bucket": "acme-nobody", "region": "us-east-1", "endpoint_url": "http://127.0.0.1:9", **settings}
    )
    with pytest.raises(ConfigurationError, match="no AWS credentials were found"):
        S3Store(connection, ONCE).stat("a")


@pytest.mark.usefixtures("bare_machine")
def test_an_unknown_profile_is_named() -> None:
    connection = S3Connection(kind="s3", bucket="acme-lake", profile="no-such-profile")
    with pytest.raises(ConfigurationError, match="profile cannot be used") as caught:
        S3Store(connection, ONCE).stat("a")
    assert caught.value.profile == "no-such-profile"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_an_endpoint_that_cannot_be_reached_may_be_later(s3_server: MotoServer, url: str) -> None:
    store = S3Store(s3_server.connection("acme-lake", endpoint_url=url), ONCE)
    for use in (put, lambda store: store.stat("a"), lambda store: [*store.list("")]):
        with pytest.raises(TransientError, match="cannot be reached") as caught:
            use(store)
        assert caught.value.endpoint == url


def test_an_answer_that_breaks_off_may_come_whole_later(s3_server: MotoServer) -> None:
    with scripted_api(lambda _: Answer(b"<ListBucketResult>", promised=99)) as api:
        store = S3Store(s3_server.connection("acme-lake", endpoint_url=api.url), ONCE)
        with pytest.raises(TransientError):
            [*store.list("")]


def test_an_address_that_no_host_can_have_is_a_matter_of_configuration(s3_server: MotoServer) -> None:
    store = S3Store(s3_server.connection("acme-lake", endpoint_url="http://under_score.example"), ONCE)
    with pytest.raises(ConfigurationError, match="endpoint"):
        store.stat("a")


LIBRARY_ERRORS = [
    cls
    for _, cls in inspect.getmembers(library, inspect.isclass)
    if issubclass(cls, library.BotoCoreError) and cls.__module__ == library.__name__
]


@pytest.mark.parametrize("cls", LIBRARY_ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_of_the_library_becomes_one_of_the_tree_and_only_the_networks_are_retried(
    cls: type[library.BotoCoreError],
) -> None:
    error = cls.__new__(cls)
    Exception.__init__(error, "words of the library")
    found = library_error(error, S3Connection(kind="s3", bucket="acme-lake"), "a")
    of_the_network = (
        library.HTTPClientError,
        library.ConnectionError,
        library.IncompleteReadError,
        library.ChecksumError,
        library.FlexibleChecksumError,
        library.MetadataRetrievalError,
        library.CapacityNotAvailableError,
    )
    assert isinstance(found, TransientError) == issubclass(cls, of_the_network)
    assert found.cause == cls.__name__
    assert "words of the library" not in str(found)


def test_the_tables_name_only_what_exists_and_always_say_what_to_do() -> None:
    assert all(hasattr(library, name) for name in LIBRARY_FAILURES)
    for failure in (*FAILURES.values(), *LIBRARY_FAILURES.values()):
        assert failure.guidance.endswith(".")
        assert issubclass(failure.kind, ConfigurationError | DataError | RejectedError | TransientError)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"access_key_id": "AKIA"}, "given together"),
        ({"secret_access_key": SECRET}, "given together"),
        ({"session_token": SECRET}, "goes with access_key_id"),
        ({"external_id": SECRET}, "go with role_arn"),
        ({"kms_key_id": "arn:k", "encryption": "AES256"}, "goes with encryption aws:kms"),
        ({"bucket": "s3://acme-lake"}, "String should match pattern"),
        ({"prefix": "/lake"}, "single slashes"),
        ({"prefix": "a/../b"}, "single slashes"),
        ({"acl": "everybody"}, "Input should be"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        S3Connection.model_validate({"kind": "s3", "bucket": "acme-lake", **settings})
    assert SECRET not in str(caught.value)
