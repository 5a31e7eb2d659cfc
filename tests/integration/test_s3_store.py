"""The S3 store beyond the contract: what is left behind, what moves where, and what each request says. Over HTTP."""

from __future__ import annotations

import itertools
import os
import socket
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.connections import S3Connection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from tasks.staging.contract import ObjectInfo
from tasks.staging.local import LocalStore
from tasks.staging.opening import open_store
from tasks.staging.s3 import S3Store
from tasks.staging.s3_client import S3Limits
from tests.fakes.counting_proxy import counting_proxy
from tests.fakes.moto_server import MotoServer
from tests.fakes.scripted_api import Answer, Asked, scripted_api

MIB = 1 << 20
SMALL_PARTS = S3Limits(part_bytes=5 * MIB, copy_bytes=6 * MIB, copy_part_bytes=5 * MIB)
"""The smallest parts that S3 takes."""

_numbers = itertools.count()


@pytest.fixture
def bucket(s3_server: MotoServer) -> str:
    return s3_server.make_bucket(f"bucket-{next(_numbers)}")


@pytest.fixture
def store(s3_server: MotoServer, bucket: str) -> S3Store:
    return S3Store(s3_server.connection(bucket, prefix="lake"), SMALL_PARTS)


def put(store: S3Store, key: str, content: bytes) -> ObjectInfo:
    with store.open_write(key) as file:
        file.write(content)
    info = store.stat(key)
    assert info is not None
    return info


def get(store: S3Store, key: str) -> bytes:
    with store.open_read(key) as file:
        return file.read()


def uploads(server: MotoServer, bucket: str) -> list[Any]:
    found: list[Any] = server.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return found


def test_a_connection_opens_to_its_store(s3_server: MotoServer, bucket: str) -> None:
    store = open_store(s3_server.connection(bucket, prefix="lake/acme"))
    with store.open_write("ingest/é 1.csv") as file:
        file.write(b"a")
    assert store.uri("ingest/é 1.csv") == f"s3://{bucket}/lake/acme/ingest/%C3%A9%201.csv"
    [found] = s3_server.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"] == "lake/acme/ingest/é 1.csv"


@pytest.mark.parametrize("size", [0, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 17 * MIB])
def test_an_object_of_any_size_arrives_whole_and_leaves_no_upload(
    s3_server: MotoServer, bucket: str, store: S3Store, size: int
) -> None:
    content = os.urandom(size)
    assert put(store, "a", content).size_bytes == size
    assert get(store, "a") == content
    is_one_put = size <= 5 * MIB
    assert ("-" in store.stat("a").etag) is not is_one_put  # type: ignore[union-attr]
    assert uploads(s3_server, bucket) == []


def test_an_upload_needs_the_memory_of_a_few_parts(store: S3Store) -> None:
    chunk = os.urandom(MIB)
    put(store, "warm-up", chunk * 6)
    tracemalloc.start()
    try:
        with store.open_write("big") as file:
            for _ in range(100):
                file.write(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert store.stat("big").size_bytes == 100 * MIB  # type: ignore[union-attr]
    assert peak < 25 * MIB


@pytest.mark.parametrize("written", [1, 12 * MIB])
def test_a_block_that_fails_aborts_its_upload(s3_server: MotoServer, bucket: str, store: S3Store, written: int) -> None:
    with pytest.raises(ZeroDivisionError), store.open_write("a") as file:
        file.write(b"x" * written)
        raise ZeroDivisionError
    assert uploads(s3_server, bucket) == []
    assert [*store.list("")] == []


UPLOAD_BEGUN = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"


@pytest.mark.parametrize(
    ("code", "status", "kind"), [("NoSuchUpload", 404, TransientError), ("AccessDenied", 403, RejectedError)]
)
@pytest.mark.parametrize("refused", ["part", "completion"])
def test_a_refused_part_or_completion_ends_the_block_with_its_error_and_aborts(
    s3_server: MotoServer, code: str, status: int, kind: type[PenstockError], refused: str
) -> None:
    def answer(asked: Asked) -> Answer:
        if "uploads" in asked.query:
            return Answer(UPLOAD_BEGUN)
        if asked.method == "DELETE":
            return Answer(status=204)
        if asked.query.get("partNumber") == "2" if refused == "part" else asked.method == "POST":
            return Answer(f"<Error><Code>{code}</Code></Error>", status=status)
        return Answer(headers={"ETag": '"p"'})

    with scripted_api(answer) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url), SMALL_PARTS)
        with pytest.raises(kind) as caught, store.open_write("a") as file:
            file.write(b"x" * (26 * MIB))
    assert (caught.value.key, caught.value.code) == ("a", code)
    assert [(one.method, one.query["uploadId"]) for one in api.asked[-1:]] == [("DELETE", "u1")]


def test_a_copy_stays_on_the_server_however_large_it_is(s3_server: MotoServer, store: S3Store, bucket: str) -> None:
    content = os.urandom(17 * MIB)
    put(store, "small", content[:MIB])
    put(store, "large", content)
    other = s3_server.make_bucket(f"{bucket}-other")
    with counting_proxy(s3_server.url) as proxy:
        for target_bucket in (bucket, other):
            connection = s3_server.connection(target_bucket, prefix="elsewhere", endpoint_url=proxy.url)
            source = S3Store(s3_server.connection(bucket, prefix="lake", endpoint_url=proxy.url), SMALL_PARTS)
            target = S3Store(connection, SMALL_PARTS)
            assert target.copy_in(source, "small", "deep/small").size_bytes == MIB
            assert target.copy_in(source, "large", "deep/large").size_bytes == 17 * MIB
        assert 0 < proxy.total_bytes < 64_000
    plain = S3Store(s3_server.connection(other, prefix="elsewhere"))
    assert get(plain, "deep/small") == content[:MIB]
    assert get(plain, "deep/large") == content
    assert uploads(s3_server, bucket) == uploads(s3_server, other) == []


def test_a_copy_between_servers_or_kinds_of_stores_is_streamed(
    s3_server: MotoServer, store: S3Store, bucket: str, tmp_path: Path
) -> None:
    content = os.urandom(7 * MIB)
    folder = LocalStore(tmp_path)
    with folder.open_write("a") as file:
        file.write(content)
    assert store.copy_in(folder, "a", "from-folder").size_bytes == 7 * MIB
    folder.copy_in(store, "from-folder", "back")
    assert (tmp_path / "back").read_bytes() == content
    with counting_proxy(s3_server.url) as proxy:
        far = S3Store(s3_server.connection(bucket, prefix="far", endpoint_url=proxy.url), SMALL_PARTS)
        far.copy_in(store, "from-folder", "a")
        assert proxy.sent_bytes > 7 * MIB
    assert get(S3Store(s3_server.connection(bucket, prefix="far")), "a") == content


def test_a_copy_keeps_what_readers_go_by_and_leaves_tags_behind(
    s3_server: MotoServer, store: S3Store, bucket: str
) -> None:
    client = s3_server.client("s3")
    facts = {"ContentType": "text/csv", "ContentEncoding": "gzip", "Metadata": {"made-by": "vendor"}}
    for name, size in (("small", 10), ("large", 7 * MIB)):
        client.put_object(Bucket=bucket, Key=f"lake/{name}", Body=b"x" * size, Tagging="a=b", **facts)
        store.copy_in(store, name, f"copy/{name}")
        found = client.head_object(Bucket=bucket, Key=f"lake/copy/{name}")
        assert {key: found[key] for key in facts} == facts
        assert client.get_object_tagging(Bucket=bucket, Key=f"lake/copy/{name}")["TagSet"] == []


def test_a_source_that_is_replaced_while_its_parts_are_copied_stops_the_copy(
    s3_server: MotoServer, bucket: str
) -> None:
    """A server that answers as S3 does: the second part's condition does not hold any more."""

    def answer(asked: Asked) -> Answer:
        if asked.method == "HEAD":
            headers = {"ETag": '"old"', "Last-Modified": "Fri, 20 Mar 2026 12:00:00 GMT"}
            return Answer(b"x" * (7 * MIB), headers=headers)
        if "uploads" in asked.query:
            return Answer(UPLOAD_BEGUN)
        if asked.method == "DELETE":
            return Answer(status=204)
        if asked.query.get("partNumber") == "1":
            return Answer('<CopyPartResult><ETag>"p1"</ETag></CopyPartResult>')
        return Answer("<Error><Code>PreconditionFailed</Code></Error>", status=412)

    with scripted_api(answer) as api:
        store = S3Store(s3_server.connection(bucket, endpoint_url=api.url), SMALL_PARTS)
        with pytest.raises(DataError, match="changed while it was being read or copied"):
            store.copy_in(store, "a", "b")
    parts = [asked for asked in api.asked if "partNumber" in asked.query]
    assert {asked.headers["x-amz-copy-source-if-match"] for asked in parts} == {'"old"'}
    assert (api.asked[-1].method, api.asked[-1].query["uploadId"]) == ("DELETE", "u1")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"encryption": "AES256"}, {"ServerSideEncryption": "AES256"}),
        (
            {"encryption": "aws:kms", "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/abc"},
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/abc"},
        ),
    ],
)
def test_every_kind_of_write_and_copy_is_encrypted_as_the_connection_says(
    s3_server: MotoServer, bucket: str, settings: dict[str, str], expected: dict[str, str]
) -> None:
    store = S3Store(s3_server.connection(bucket, **settings), SMALL_PARTS)
    put(store, "put", b"x")
    put(store, "upload", b"x" * (7 * MIB))
    store.copy_in(store, "put", "copy")
    store.copy_in(store, "upload", "copy-by-parts")
    for key in ("put", "upload", "copy", "copy-by-parts"):
        found = s3_server.client("s3").head_object(Bucket=bucket, Key=key)
        assert {name: found.get(name) for name in expected} == expected, key


def test_every_kind_of_write_and_copy_says_the_acl(s3_server: MotoServer, bucket: str) -> None:
    store = S3Store(s3_server.connection(bucket, acl="public-read"), SMALL_PARTS)
    put(store, "put", b"x")
    put(store, "upload", b"x" * (7 * MIB))
    store.copy_in(store, "put", "copy")
    store.copy_in(store, "upload", "copy-by-parts")
    for key in ("put", "upload", "copy", "copy-by-parts"):
        grants = s3_server.client("s3").get_object_acl(Bucket=bucket, Key=key)["Grants"]
        assert "READ" in {grant["Permission"] for grant in grants}, key


def test_a_listing_of_many_pages_is_in_order_and_begins_before_it_ends(
    s3_server: MotoServer, bucket: str, store: S3Store
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.bucket.call("put_object", f"many/{number:05d}", Body=b""), range(3_005)))
    put(store, "other", b"")
    with counting_proxy(s3_server.url) as proxy:
        listed = S3Store(s3_server.connection(bucket, prefix="lake", endpoint_url=proxy.url)).list("many/")
        assert proxy.total_bytes == 0
        first = next(listed)
        first_page_bytes = proxy.total_bytes
        rest = [info.key for info in listed]
        assert proxy.total_bytes > 3 * first_page_bytes
    assert [first.key, *rest] == [f"many/{number:05d}" for number in range(3_005)]


def test_a_folders_marker_and_a_foreign_key_below_the_prefix_are_listed_as_they_are(
    s3_server: MotoServer, bucket: str, store: S3Store
) -> None:
    for key in ("lake/", "lake/drops/", "lake/drops/a.csv", "lake/drops//b.csv", "lakeside/c.csv"):
        s3_server.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    assert [info.key for info in store.list("")] == ["drops/", "drops//b.csv", "drops/a.csv"]


def test_a_key_that_is_too_long_below_the_prefix_is_refused_before_anything_is_asked() -> None:
    connection = S3Connection(kind="s3", bucket="acme-lake", prefix="p" * 200)
    key = "/".join(["k" * 200] * 5)
    with pytest.raises(ConfigurationError) as caught:
        S3Store(connection).open_write(key)
    assert caught.value.reason == "it has more than 1024 bytes with the store's prefix"


CONTENT = bytes(range(256)) * 4_000


def breaking(*, after: int, times: int, etags: Iterator[str] | None = None, ranged: bool = True) -> Any:
    """An S3 of one object whose answers break off after some bytes, a number of times."""
    broken = itertools.count()

    def answer(asked: Asked) -> Answer:
        etag = next(etags) if etags else "e1"
        if asked.headers.get("If-Match", f'"{etag}"') != f'"{etag}"':
            return Answer("<Error><Code>PreconditionFailed</Code></Error>", status=412)
        wanted = asked.headers.get("Range")
        first, last = wanted.removeprefix("bytes=").split("-") if wanted else ("0", "")
        end = int(last) + 1 if last else len(CONTENT)
        content = CONTENT[int(first) : end]
        headers = {"ETag": f'"{etag}"', "Last-Modified": "Fri, 20 Mar 2026 12:00:00 GMT"}
        if wanted and ranged:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(CONTENT)}"
        cut = content[:after] if next(broken) < times else content
        return Answer(cut, status=206 if wanted and ranged else 200, headers=headers, promised=len(content))

    return answer


def test_a_read_goes_on_where_its_connection_broke(s3_server: MotoServer) -> None:
    with scripted_api(breaking(after=300_000, times=2)) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url))
        assert get(store, "a") == CONTENT
        assert [asked.headers.get("Range") for asked in api.asked] == [None, "bytes=300000-", "bytes=600000-"]
        assert {asked.headers.get("If-Match") for asked in api.asked[1:]} == {'"e1"'}
        api.asked.clear()
    with scripted_api(breaking(after=10, times=1)) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url))
        assert store.read_range("a", 1_000, 30) == CONTENT[1_000:1_030]
        assert [asked.headers.get("Range") for asked in api.asked] == ["bytes=1000-1029", "bytes=1010-1029"]


def test_a_read_that_never_gets_on_is_a_transient_error(s3_server: MotoServer) -> None:
    with scripted_api(breaking(after=0, times=99)) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url))
        with pytest.raises(TransientError, match="connection to S3 broke") as caught:
            get(store, "a")
    assert caught.value.key == "a"
    assert len(api.asked) == 4


def test_a_read_never_mixes_two_objects(s3_server: MotoServer) -> None:
    with scripted_api(breaking(after=300_000, times=1, etags=iter(["e1", "e2"]))) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url))
        with pytest.raises(DataError, match="changed while it was being read"):
            get(store, "a")


def test_a_store_that_ignores_ranges_is_found_out(s3_server: MotoServer) -> None:
    with scripted_api(breaking(after=0, times=0, ranged=False)) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url))
        with pytest.raises(PenstockError, match="ignores ranged reads"):
            store.read_range("a", 10, 10)


def test_a_role_is_assumed_and_assumed_again_before_it_expires(s3_server: MotoServer) -> None:
    """The tokens of this STS last a minute, so that each request needs a new one."""

    def sts(asked: Asked) -> Answer:
        expiration = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        return Answer(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>ASIA{asked.number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>token-{asked.number}</SessionToken><Expiration>{expiration}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )

    def s3(asked: Asked) -> Answer:
        return Answer(headers={"ETag": '"e"', "Last-Modified": "Fri, 20 Mar 2026 12:00:00 GMT"})

    with scripted_api(sts) as role_server, scripted_api(s3) as api:
        connection = s3_server.connection(
            "any-bucket",
            endpoint_url=api.url,
            role_arn="arn:aws:iam::123456789012:role/penstock",
            external_id="ext-9",
            sts_endpoint_url=role_server.url,
        )
        store = S3Store(connection)
        assert role_server.asked == []
        for _ in range(2):
            assert store.stat("a") is not None
    assumed = role_server.asked[0].body.decode()
    assert "Action=AssumeRole" in assumed
    assert "ExternalId=ext-9" in assumed
    assert "role%2Fpenstock" in assumed
    tokens = [asked.headers["X-Amz-Security-Token"] for asked in api.asked]
    assert len({*tokens}) == 2
    assert all("testing" not in asked.headers["Authorization"] for asked in api.asked)
    assert "ext-9" not in repr(connection)


def test_a_profile_of_the_shared_files_gives_the_keys(
    s3_server: MotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "credentials"
    shared.write_text("[acme]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    with scripted_api(lambda _: Answer(status=204)) as api:
        store = S3Store(s3_server.connection("any-bucket", endpoint_url=api.url, profile="acme"))
        store.delete("a")
    assert "Credential=AKIAPROFILE/" in api.asked[0].headers["Authorization"]
    assert api.asked[0].path == "/any-bucket/a"


@pytest.mark.parametrize(
    ("addressing", "host", "path"), [("virtual", "any-bucket.localhost", "/a"), (None, "localhost", "/any-bucket/a")]
)
def test_the_bucket_is_in_the_path_at_another_address_unless_told_otherwise(
    s3_server: MotoServer, addressing: str | None, host: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo  # not every resolver knows the names below localhost
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: resolve("127.0.0.1", *rest, **more))
    with scripted_api(lambda _: Answer(status=204)) as api:
        address = api.url.replace("127.0.0.1", "localhost")
        S3Store(s3_server.connection("any-bucket", endpoint_url=address, addressing=addressing)).delete("a")
    assert api.asked[0].headers["Host"].rpartition(":")[0] == host
    assert api.asked[0].path == path
