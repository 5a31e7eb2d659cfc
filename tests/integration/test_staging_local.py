"""The folder store on a real file system: atomicity across kills, links, rights, full disks."""

from __future__ import annotations

import errno
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from penstock.connections import FolderConnection, RestConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from tasks.staging.folder_errors import MEANINGS, folder_error
from tasks.staging.local import LocalStore
from tasks.staging.local_listing import walk
from tasks.staging.opening import open_store
from tasks.staging.partial_files import PARTIAL_FOLDER, ObjectFile, copy_file

NOBODY = 65534


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "lake")


def put(store: LocalStore, key: str, content: bytes) -> None:
    with store.open_write(key) as file:
        file.write(content)


def partial_files(store: LocalStore) -> list[str]:
    folder = store.root / PARTIAL_FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def writer_that_hangs(store: LocalStore) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of writing `killed.csv`."""
    code = (
        "import sys, time\n"
        "from tasks.staging.local import LocalStore\n"
        "with LocalStore(sys.argv[1]).open_write('killed.csv') as file:\n"
        "    file.write(b'x' * 1_000_000)\n"
        "    file.flush()\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
    )
    repository = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, store.root], stdout=subprocess.PIPE, text=True, cwd=repository
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        yield process
        process.kill()


def test_what_a_killed_writer_left_is_never_seen_and_swept_by_the_next_one(
    store: LocalStore, writer_that_hangs: subprocess.Popen[str]
) -> None:
    writer_that_hangs.send_signal(signal.SIGKILL)
    writer_that_hangs.wait()
    assert len(partial_files(store)) == 1
    assert [*store.list("")] == []
    assert [*store.list(".")] == []
    assert [*store.list(f"{PARTIAL_FOLDER}/")] == []

    put(store, "other.csv", b"x")
    assert partial_files(store) == []
    assert [info.key for info in store.list("")] == ["other.csv"]


def test_a_sweep_spares_the_file_of_a_writer_that_lives(
    store: LocalStore, writer_that_hangs: subprocess.Popen[str]
) -> None:
    before = partial_files(store)
    put(LocalStore(store.root), "other.csv", b"x")
    assert partial_files(store) == before
    assert len(before) == 1


def test_no_write_or_copy_leaves_anything_behind(store: LocalStore) -> None:
    put(store, "a", b"x")
    for target in ("b", "b", "a"):
        store.copy_in(store, "a", target)
    with pytest.raises(ZeroDivisionError), store.open_write("c"):
        raise ZeroDivisionError
    assert partial_files(store) == []


def test_the_folder_of_partial_files_holds_no_objects(store: LocalStore) -> None:
    put(store, "a", b"x")
    for use in (store.open_write, store.open_read, store.stat, store.delete):
        with pytest.raises(ConfigurationError):
            use(f"{PARTIAL_FOLDER}/a")


def test_reading_makes_no_folder(store: LocalStore) -> None:
    assert store.stat("a") is None
    assert [*store.list("")] == []
    store.delete("a")
    assert not store.root.exists()


def test_a_delete_takes_empty_folders_along_but_never_the_root(store: LocalStore) -> None:
    put(store, "a/b/c/d", b"x")
    put(store, "a/e", b"x")
    store.delete("a/b/c/d")
    assert sorted(path.name for path in (store.root / "a").iterdir()) == ["e"]
    store.delete("a/e")
    assert not (store.root / "a").exists()
    assert store.root.exists()


def test_a_copy_within_a_file_system_moves_no_byte(store: LocalStore, tmp_path: Path) -> None:
    drops = LocalStore(tmp_path / "drops")
    put(drops, "a.csv", b"x" * 5_000_000)
    free_before = os.statvfs(tmp_path).f_bfree
    for number in range(20):
        store.copy_in(drops, "a.csv", f"stage/{number}")
    used_bytes = (free_before - os.statvfs(tmp_path).f_bfree) * os.statvfs(tmp_path).f_frsize
    assert used_bytes < 50_000_000, "twenty copies of 5 MB took half their size or more"


def test_a_linked_copy_tells_by_its_etag_that_the_source_was_written_in_place(
    store: LocalStore, tmp_path: Path
) -> None:
    drops = LocalStore(tmp_path / "drops")
    put(drops, "a.csv", b"first")
    staged = store.copy_in(drops, "a.csv", "stage/a.csv")
    if not drops.path("a.csv").samefile(store.path("stage/a.csv")):
        pytest.skip("this file system makes reflinks, which cannot change with their source")
    with drops.path("a.csv").open("ab") as file:
        file.write(b" and more")
    after = store.stat("stage/a.csv")
    assert after is not None
    assert after.etag != staged.etag


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a file system of its own, and a folder with a random name in it
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_a_copy_from_another_file_system_copies_every_byte(store: LocalStore, other_file_system: Path) -> None:
    content = os.urandom(3_000_001)
    drops = LocalStore(other_file_system)
    put(drops, "a.csv", content)
    assert store.copy_in(drops, "a.csv", "stage/a.csv").size_bytes == 3_000_001
    assert store.path("stage/a.csv").read_bytes() == content
    assert partial_files(store) == []


def test_bytes_are_copied_from_files_that_the_kernel_cannot_copy(tmp_path: Path) -> None:
    """A pipe has no ranges to copy, so only reading and writing is left."""
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    os.close(writer)
    target = tmp_path / "target"
    with target.open("wb") as file:
        copy_file(reader, file.fileno())
    os.close(reader)
    assert target.read_bytes() == b"through a pipe"


def test_a_link_out_of_the_root_is_an_error_and_never_passed_over(store: LocalStore, tmp_path: Path) -> None:
    put(store, "in/a.csv", b"x")
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (store.root / "in/out.csv").symlink_to(tmp_path / "secret.csv")
    (store.root / "out").symlink_to(tmp_path)
    for use in (
        lambda: store.open_read("in/out.csv"),
        lambda: store.stat("out/secret.csv"),
        lambda: store.open_write("out/new.csv").__enter__(),
        lambda: store.copy_in(store, "in/out.csv", "copy"),
        lambda: store.delete("out/secret.csv"),
        lambda: [*store.list("in/")],
        lambda: [*store.list("out/")],
        lambda: [*store.list("")],
    ):
        with pytest.raises(ConfigurationError):
            use()
    assert (tmp_path / "secret.csv").read_bytes() == b"secret"
    assert not (tmp_path / "new.csv").exists()


def test_links_that_stay_below_the_root_are_followed_and_nothing_is_listed_twice(store: LocalStore) -> None:
    put(store, "real/a.csv", b"content")
    (store.root / "alias").symlink_to(store.root / "real")
    (store.root / "latest.csv").symlink_to("real/a.csv")
    (store.root / "dangling").symlink_to("nothing")
    assert [info.key for info in store.list("")] == ["latest.csv", "real/a.csv"]
    with store.open_read("alias/a.csv") as file:
        assert file.read() == b"content"
    store.copy_in(store, "latest.csv", "copy.csv")
    store.delete("latest.csv")
    assert [info.key for info in store.list("")] == ["copy.csv", "real/a.csv"]
    assert not store.path("copy.csv").is_symlink()


def test_a_root_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "lake").symlink_to("disk")
    store = LocalStore(tmp_path / "lake")
    put(store, "a/b", b"x")
    assert [info.key for info in store.list("")] == ["a/b"]
    assert (tmp_path / "disk/a/b").exists()


def test_links_in_a_circle_are_explained(store: LocalStore) -> None:
    put(store, "a", b"x")
    (store.root / "loop").symlink_to("loop")
    with pytest.raises(ConfigurationError, match="circle"):
        store.open_read("loop")


def test_pipes_and_folders_are_no_objects(store: LocalStore) -> None:
    put(store, "a", b"x")
    os.mkfifo(store.root / "pipe")
    (store.root / "folder").mkdir()
    assert [info.key for info in store.list("")] == ["a"]
    assert store.stat("pipe") is None
    for key in ("pipe", "folder"):
        with pytest.raises(DataError):
            store.open_read(key)


def test_a_name_that_is_not_utf8_stops_the_listing(store: LocalStore) -> None:
    put(store, "a", b"x")
    (store.root / os.fsdecode(b"caf\xe9.csv")).write_bytes(b"rows that must not be missed")
    with pytest.raises(DataError, match="UTF-8") as caught:
        [*store.list("")]
    assert str(caught.value).isascii()


def test_a_folder_that_is_larger_than_a_page_is_listed_whole_and_in_order(store: LocalStore) -> None:
    keys = sorted(f"{folder}{number}" for number in range(23) for folder in ("", "b/", "1-"))
    for key in keys:
        put(store, key, b"x")
    for page_names in (1, 2, 7, 1000):
        assert [key for key, _ in walk(str(store.root), "", page_names=page_names)] == keys


def test_a_key_that_names_a_folder_is_refused_before_anything_is_written(store: LocalStore) -> None:
    put(store, "a/b", b"x")
    for key in ("a", "a/b/c"):
        with pytest.raises(ConfigurationError, match="names a folder") as caught, store.open_write(key):
            pytest.fail("the file was opened")
        assert caught.value.key == key


def test_a_path_that_the_system_finds_too_long_is_explained(tmp_path: Path) -> None:
    store = LocalStore(tmp_path.joinpath(*["f" * 250] * 14))
    with pytest.raises(ConfigurationError, match="too long"):
        store.stat("/".join(["k" * 250] * 4))


@pytest.fixture
def without_rights(store: LocalStore) -> Iterator[LocalStore]:
    """A store with an object, seen by a user who has no right to it."""
    put(store, "a", b"x")
    store.root.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield store
    if is_root:
        os.seteuid(0)
    store.root.chmod(0o755)


def test_missing_rights_are_a_rejection_that_says_what_to_grant(without_rights: LocalStore) -> None:
    for use in (
        lambda: without_rights.open_read("a"),
        lambda: without_rights.stat("a"),
        lambda: without_rights.delete("a"),
        lambda: put(without_rights, "b", b"x"),
        lambda: [*without_rights.list("")],
    ):
        with pytest.raises(RejectedError, match="refuses access") as caught:
            use()
        assert caught.value.errno == "EACCES"
        assert "right" in caught.value.guidance
        assert isinstance(caught.value.__cause__, PermissionError)


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """The system refuses files of more than 100 KB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files_only")
def test_a_write_that_the_system_stops_half_way_leaves_nothing(store: LocalStore) -> None:
    put(store, "a", b"before")
    with pytest.raises(RejectedError) as caught:
        put(store, "a", b"x" * 1_000_000)
    assert caught.value.key == "a"
    assert caught.value.errno == "EFBIG"
    assert store.read_range("a", 0, 100) == b"before"
    assert partial_files(store) == []


def test_a_full_disk_is_transient_and_names_the_key() -> None:
    file = ObjectFile(os.open("/dev/full", os.O_WRONLY), "wb", "stage/a.csv")
    with file, pytest.raises(TransientError, match="full") as caught:
        file.write(b"x")
    assert caught.value.key == "stage/a.csv"
    assert caught.value.errno == "ENOSPC"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, DataError),
        (errno.EACCES, RejectedError),
        (errno.EPERM, RejectedError),
        (errno.EROFS, RejectedError),
        (errno.EFBIG, RejectedError),
        (errno.ENOSPC, TransientError),
        (errno.EDQUOT, TransientError),
        (errno.EIO, TransientError),
        (errno.ESTALE, TransientError),
        (errno.EMFILE, TransientError),
        (errno.ENAMETOOLONG, ConfigurationError),
        (errno.ENOTDIR, ConfigurationError),
        (errno.EISDIR, ConfigurationError),
        (errno.ELOOP, ConfigurationError),
        (errno.EXDEV, ConfigurationError),
        (errno.EPROTO, TransientError),
        (None, TransientError),
    ],
)
def test_each_refusal_of_the_system_has_its_place_in_the_tree(number: int | None, kind: type[PenstockError]) -> None:
    error = folder_error(OSError(number, "as the system says") if number else OSError("without a number"), "a/b")
    assert type(error) is kind
    assert error.key == "a/b"
    assert error.guidance.endswith(".")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


def test_every_meaning_has_one_sentence_of_guidance() -> None:
    for meaning in MEANINGS.values():
        assert meaning.guidance.endswith(".")
        assert not meaning.message.endswith(".")


def test_a_uri_leads_back_to_the_file(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "a lake, 100% é")
    put(store, "x/b c#d?.csv", b"content")
    parts = urlparse(store.uri("x/b c#d?.csv"))
    assert parts.scheme == "file"
    assert parts.netloc == ""
    assert Path(unquote(parts.path)).read_bytes() == b"content"


def test_a_relative_root_stays_where_it_was_when_the_process_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(FolderConnection(kind="folder", path="lake"))
    with store.open_write("a") as file:
        file.write(b"x")
    monkeypatch.chdir("/")
    assert store.read_range("a", 0, 1) == b"x"
    assert (tmp_path / "lake/a").exists()


def test_only_connections_that_hold_files_open_as_stores() -> None:
    with pytest.raises(ConfigurationError, match="object store") as caught:
        open_store(RestConnection(kind="rest", base_url="http://localhost"))
    assert caught.value.kind == "rest"
    assert "folder" in caught.value.guidance
