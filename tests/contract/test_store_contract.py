"""What every object store does. A new store adds its maker to `MAKERS` and passes."""

from __future__ import annotations

import io
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.errors import ConfigurationError, DataError
from tasks.staging.contract import ObjectInfo, ObjectStore
from tasks.staging.local import LocalStore
from tasks.staging.s3 import S3Store
from tests.fakes.moto_server import MotoServer

Maker = Callable[[], ObjectStore]


def _local_maker(request: pytest.FixtureRequest) -> Maker:
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("local")
    numbers = itertools.count()
    return lambda: LocalStore(folder / str(next(numbers)))


def _s3_maker(request: pytest.FixtureRequest) -> Maker:
    server: MotoServer = request.getfixturevalue("s3_server")
    bucket = server.make_bucket("store-contract")
    numbers = itertools.count()
    return lambda: S3Store(server.connection(bucket, prefix=f"lake/{next(numbers)}"))


MAKERS: dict[str, Callable[[pytest.FixtureRequest], Maker]] = {"local": _local_maker, "s3": _s3_maker}


class ForeignStore:
    """A store of a kind that no other store knows, so that nothing but streaming is left."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner

    def open_write(self, key: str) -> AbstractContextManager[BinaryIO]:
        return self._inner.open_write(key)

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        return self._inner.open_read(key)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        return self._inner.read_range(key, start, length)

    def copy_in(self, source: ObjectStore, source_key: str, key: str) -> ObjectInfo:
        return self._inner.copy_in(source, source_key, key)

    def stat(self, key: str) -> ObjectInfo | None:
        return self._inner.stat(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._inner.list(prefix)

    def delete(self, key: str) -> None:
        self._inner.delete(key)

    def uri(self, key: str) -> str:
        return self._inner.uri(key)


@pytest.fixture(scope="module", params=MAKERS)
def make_store(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[request.param](request)


@pytest.fixture
def store(make_store: Maker) -> ObjectStore:
    return make_store()


def put(store: ObjectStore, key: str, content: bytes) -> ObjectInfo:
    with store.open_write(key) as file:
        file.write(content)
    return known(store, key)


def get(store: ObjectStore, key: str) -> bytes:
    with store.open_read(key) as file:
        return file.read()


def fail_while_writing(store: ObjectStore, key: str) -> None:
    with store.open_write(key) as file:
        file.write(b"half of it")
        raise ZeroDivisionError


def known(store: ObjectStore, key: str) -> ObjectInfo:
    info = store.stat(key)
    assert info is not None
    return info


def keys_of(store: ObjectStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_what_was_written_reads_back_whole(store: ObjectStore) -> None:
    content = os.urandom(3_000_000)
    info = put(store, "ingest/acme/orders/part-1.csv", content)

    assert get(store, "ingest/acme/orders/part-1.csv") == content
    assert info.key == "ingest/acme/orders/part-1.csv"
    assert info.size_bytes == 3_000_000
    assert abs(datetime.now(UTC) - info.modified_at) < timedelta(minutes=5)
    assert [*store.list("")] == [info]


def test_an_object_may_be_empty(store: ObjectStore) -> None:
    assert put(store, "empty", b"").size_bytes == 0
    assert get(store, "empty") == b""
    assert store.read_range("empty", 0, 10) == b""


def test_many_small_writes_become_one_object(store: ObjectStore) -> None:
    with store.open_write("rows") as file:
        for number in range(20_000):
            file.write(b"%d\n" % number)

    rows = get(store, "rows").splitlines()
    assert len(rows) == 20_000
    assert rows[-1] == b"19999"


def test_a_stream_can_be_read_in_chunks_to_its_last_byte(store: ObjectStore) -> None:
    put(store, "big", bytes(range(256)) * 4_000)
    with store.open_read("big") as file:
        chunks = [*iter(lambda: file.read(100_000), b"")]
    assert sum(map(len, chunks)) == 1_024_000
    assert chunks[-1][-1] == 255


def test_an_object_is_out_of_sight_until_its_block_ends(store: ObjectStore) -> None:
    with store.open_write("a/b") as file:
        file.write(b"x" * 2_000_000)
        assert store.stat("a/b") is None
        assert keys_of(store) == []
    assert keys_of(store) == ["a/b"]


def test_a_block_that_fails_leaves_no_object(store: ObjectStore) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(store, "a/b")
    assert store.stat("a/b") is None
    assert keys_of(store) == []


def test_a_block_that_fails_leaves_the_object_that_was_there(store: ObjectStore) -> None:
    before = put(store, "a", b"first")
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(store, "a")
    assert known(store, "a") == before
    assert get(store, "a") == b"first"


def test_an_error_of_the_caller_passes_as_it_is(store: ObjectStore) -> None:
    cause = ConnectionResetError("the source hung up")
    with pytest.raises(ConnectionResetError) as caught, store.open_write("a"):
        raise cause
    assert caught.value is cause


def test_a_caller_may_close_the_file_itself(store: ObjectStore) -> None:
    with store.open_write("a") as file:
        text = io.TextIOWrapper(file, encoding="utf-8")
        text.write("closed by its wrapper")
        text.close()
    assert get(store, "a") == b"closed by its wrapper"


def test_writing_again_replaces_the_object_and_changes_its_etag(store: ObjectStore) -> None:
    first = put(store, "a", b"one")
    second = put(store, "a", b"two")
    assert get(store, "a") == b"two"
    assert second.size_bytes == first.size_bytes
    assert second.etag != first.etag


def test_an_etag_stays_while_the_content_does(store: ObjectStore) -> None:
    first = put(store, "a", b"one")
    put(store, "b", b"other")
    get(store, "a")
    store.copy_in(store, "a", "c")
    assert known(store, "a").etag == first.etag


def test_a_reader_keeps_what_it_opened_while_the_object_is_replaced(store: ObjectStore) -> None:
    put(store, "a", b"1" * 1_000_000)
    with store.open_read("a") as file:
        start = file.read(10)
        put(store, "a", b"2" * 1_000_000)
        rest = file.read()
    assert set(start + rest) == {ord("1")}
    assert len(start + rest) == 1_000_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), start=st.integers(0, 400), length=st.integers(0, 400))
def test_a_range_is_the_slice_of_the_content(make_store: Maker, content: bytes, start: int, length: int) -> None:
    store = make_store()
    put(store, "a", content)
    assert store.read_range("a", start, length) == content[start : start + length]


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1)])
def test_a_negative_range_is_a_mistake_of_the_caller(store: ObjectStore, start: int, length: int) -> None:
    put(store, "a", b"abc")
    with pytest.raises(ValueError, match="negative"):
        store.read_range("a", start, length)


@pytest.mark.parametrize("key", ["nothing", "folder", "folder/object/below"])
def test_what_is_not_there_is_a_data_error_that_names_the_key(store: ObjectStore, key: str) -> None:
    put(store, "folder/object", b"x")
    for read in (
        lambda: store.open_read(key).__enter__(),
        lambda: store.read_range(key, 0, 1),
        lambda: store.copy_in(store, key, "copy"),
    ):
        with pytest.raises(DataError) as caught:
            read()
        assert caught.value.key == key
        assert caught.value.guidance
    assert store.stat(key) is None
    assert keys_of(store) == ["folder/object"]


def test_deleting_removes_one_object_and_is_repeatable(store: ObjectStore) -> None:
    for key in ("a/b/c", "a/b/d", "a/e"):
        put(store, key, b"x")
    for _ in range(2):
        store.delete("a/b/c")
        store.delete("a/b")
        store.delete("never/was")
    assert keys_of(store) == ["a/b/d", "a/e"]


def test_an_object_may_take_the_name_of_a_folder_that_was_emptied(store: ObjectStore) -> None:
    put(store, "a/b/c", b"x")
    store.delete("a/b/c")
    put(store, "a", b"y")
    assert keys_of(store) == ["a"]


def test_keys_are_listed_in_the_order_of_their_characters(store: ObjectStore) -> None:
    written = ["a/b", "a-b", "a.txt", "a/c/d", "ab/x", "a0", "é", "z", "Z", "a/b c", "a/%41", "a/\U0001f600"]
    for key in written:
        put(store, key, b"x")
    assert keys_of(store) == sorted(written)
    assert keys_of(store, "a") == sorted(key for key in written if key.startswith("a"))
    assert keys_of(store, "a/") == sorted(key for key in written if key.startswith("a/"))
    assert keys_of(store, "a/c/d") == ["a/c/d"]
    assert keys_of(store, "a/c/d/") == []
    assert keys_of(store, "nothing/here") == []


_PARTS = st.text(alphabet="ab-./é 1", min_size=1, max_size=4)
_KEYS = st.lists(_PARTS, min_size=1, max_size=3).map("/".join)


def _is_usable(keys: set[str]) -> bool:
    """Whether the keys are allowed, and none goes through the name of another (a folder could not hold both)."""
    parts = [part for key in keys for part in key.split("/")]
    return all(part not in {"", ".", ".."} for part in parts) and not any(
        other.startswith(f"{key}/") for key in keys for other in keys
    )


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(keys=st.sets(_KEYS, max_size=8).filter(_is_usable), prefix=st.text(alphabet="ab-é 1", max_size=2))
def test_a_listing_is_every_key_with_the_prefix_in_order(make_store: Maker, keys: set[str], prefix: str) -> None:
    store = make_store()
    for key in keys:
        put(store, key, key.encode())
    found = [*store.list(prefix)]
    assert [info.key for info in found] == sorted(key for key in keys if key.startswith(prefix))
    assert [info.size_bytes for info in found] == [len(info.key.encode()) for info in found]
    assert all(store.stat(info.key) == info for info in found)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=st.text(min_size=1, max_size=30))
def test_any_key_is_either_refused_or_kept_exactly(make_store: Maker, key: str) -> None:
    store = make_store()
    try:
        put(store, key, b"x")
    except ConfigurationError as error:
        assert error.reason  # noqa: PT017 - both outcomes are right, and this is what the first one owes
        return
    assert keys_of(store) == [key]
    assert get(store, key) == b"x"


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "/etc/passwd", "..", "../secret", "a/../../secret", "a/..", ".", "a/./b", "a//b", "a/", "//a"),
        *("a\0b", "\ud800", "k" * 256, "/".join(["k" * 200] * 6)),
    ],
)
def test_a_key_that_could_leave_the_store_is_refused_everywhere(store: ObjectStore, key: str) -> None:
    put(store, "source", b"x")
    for use in (
        lambda: store.open_write(key).__enter__(),
        lambda: store.open_read(key).__enter__(),
        lambda: store.read_range(key, 0, 1),
        lambda: store.copy_in(store, key, "copy"),
        lambda: store.copy_in(store, "source", key),
        lambda: store.stat(key),
        lambda: store.delete(key),
        lambda: store.uri(key),
    ):
        with pytest.raises(ConfigurationError) as caught:
            use()
        assert caught.value.reason
        assert "\0" not in str(caught.value)
    assert keys_of(store) == ["source"]


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//b", "a\0", "./a"])
def test_a_prefix_that_no_key_can_have_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        [*store.list(prefix)]


def test_a_key_cannot_go_through_an_object(store: ObjectStore) -> None:
    """A folder cannot do it; a store that can is asked only to lose nothing."""
    put(store, "a", b"x")
    try:
        put(store, "a/b", b"y")
    except ConfigurationError as error:
        assert error.key == "a/b"  # noqa: PT017 - both outcomes are right, and this is what the first one owes
        assert keys_of(store) == ["a"]
    else:
        assert keys_of(store) == ["a", "a/b"]
    assert get(store, "a") == b"x"


def test_a_copy_within_a_store_is_an_object_of_its_own(store: ObjectStore) -> None:
    put(store, "ingest/a.csv", b"first")
    info = store.copy_in(store, "ingest/a.csv", "stage/a.csv")
    assert info == known(store, "stage/a.csv")

    put(store, "ingest/a.csv", b"changed since")
    assert get(store, "stage/a.csv") == b"first"
    store.delete("ingest/a.csv")
    assert get(store, "stage/a.csv") == b"first"
    assert known(store, "stage/a.csv").etag == info.etag


def test_a_copy_comes_in_from_another_store_of_the_kind(make_store: Maker) -> None:
    source, target = make_store(), make_store()
    put(source, "drops/a.csv", b"x" * 5_000)
    assert target.copy_in(source, "drops/a.csv", "stage/a.csv").size_bytes == 5_000
    assert get(target, "stage/a.csv") == b"x" * 5_000
    assert keys_of(source) == ["drops/a.csv"]


def test_a_copy_comes_in_from_a_store_of_any_kind(make_store: Maker) -> None:
    inner, target = make_store(), make_store()
    content = os.urandom(2_500_000)
    put(inner, "drops/a.csv", content)
    assert target.copy_in(ForeignStore(inner), "drops/a.csv", "stage/a.csv").size_bytes == len(content)
    assert get(target, "stage/a.csv") == content
    with pytest.raises(DataError):
        target.copy_in(ForeignStore(inner), "gone", "stage/b.csv")
    assert keys_of(target) == ["stage/a.csv"]


def test_copying_again_or_onto_itself_changes_no_content(store: ObjectStore) -> None:
    put(store, "a", b"content")
    put(store, "b", b"other")
    for _ in range(2):
        assert store.copy_in(store, "a", "b").size_bytes == 7
        assert store.copy_in(store, "a", "a").size_bytes == 7
    assert keys_of(store) == ["a", "b"]
    assert get(store, "a") == get(store, "b") == b"content"


def test_one_key_written_by_many_at_once_holds_one_of_the_contents(store: ObjectStore) -> None:
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        with store.open_write("shared/key") as file:
            barrier.wait()
            file.write(b"%d" % number * 100_000)

    with ThreadPoolExecutor(8) as pool:
        [*pool.map(write, range(8))]
    content = get(store, "shared/key")
    assert len(content) == 100_000
    assert len(set(content)) == 1


def test_writes_copies_and_deletes_of_neighbours_lose_nothing(store: ObjectStore) -> None:
    put(store, "source", b"s")

    def churn(number: int) -> None:
        for turn in range(25):
            put(store, f"deep/er/folder/{number}", b"%d" % turn)
            store.copy_in(store, "source", f"deep/er/copies/{number}")
            store.delete(f"deep/er/folder/{number}")
            store.delete(f"deep/er/copies/{number}")
        put(store, f"deep/er/folder/{number}", b"last")

    with ThreadPoolExecutor(6) as pool:
        [*pool.map(churn, range(6))]
    assert keys_of(store, "deep/") == [f"deep/er/folder/{number}" for number in range(6)]
    assert {get(store, key) for key in keys_of(store, "deep/")} == {b"last"}


def test_every_object_has_a_uri_of_its_own_that_needs_no_quotes(store: ObjectStore) -> None:
    keys = ["a b", "a%20b", "a+b", "a#b", "a?b", "é", "e", "a'b", 'a"b']
    uris = [store.uri(key) for key in keys]
    assert len(set(uris)) == len(keys)
    for uri in uris:
        scheme, _, path = uri.partition("://")
        assert scheme.isalnum()
        assert path.isascii()
        assert not set(path) & set(" \"#?'")
