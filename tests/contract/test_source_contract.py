"""What every source promises, whatever it reads: every row of the interval once, or an error, and no secret anywhere.

Each case is one dataset of a source against the emulated or the real system, written through the lake's own sink; the
modules in `source_cases` have them.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from penstock.artifacts import ExtractedFile, Extraction, FileFormat, Interval
from penstock.errors import DataError, PenstockError, RejectedError, TransientError
from penstock.naming import BatchKeys
from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.sources.registry import SOURCES
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.registry import EXTRACTORS, extractor
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tests.contract.source_cases.case import FIRST, NOW, WRONG_SECRET, Case, Place, Row, interval_of
from tests.fakes.clock import FakeTime

_MODULES = [
    import_module(f"tests.contract.source_cases.{path.stem}")
    for path in sorted((Path(__file__).parent / "source_cases").glob("*.py"))
]
CASES: dict[str, Case] = {name: case for module in _MODULES for name, case in module.CASES.items()}
SETTINGS = {name: value for module in _MODULES for name, value in getattr(module, "SETTINGS", {}).items()}
HTTP_CASES = [name for name, case in CASES.items() if case.path]
WINDOWED = [name for name, case in CASES.items() if case.honours_window]


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock(NOW), **SETTINGS)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def place(server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(server, tmp_path_factory.mktemp("place"))


@dataclass
class Reader:
    """Extracts a case into a lake and reads what is there."""

    place: Place
    lake: Path

    @property
    def sandbox(self) -> Sandbox:
        return self.place.sandbox

    def extract(self, name: str, interval: Interval, *, batch: str = "b1", secret: str | None = None) -> Extraction:
        case = CASES[name]
        kinds = SOURCES[case.kind]
        dataset: DatasetSpec = kinds.dataset.model_validate({"name": "contract", **case.dataset})
        source: SourceSpec = kinds.source.model_validate({"kind": case.kind, "connection": "acme-system"})
        keys = BatchKeys(
            client="acme", source=case.kind, dataset="contract", strategy="append", interval=interval, batch_id=batch
        )
        sink = LakeSink(LocalStore(self.lake), keys, dataset="contract", interval=interval)
        request = ExtractRequest(source, dataset, interval, "acme-system")
        clock = {"clock": FakeTime(wall=time.time()).clock} if case.path else {}
        extractor(case.kind)(request, case.connect(self.place, secret), sink, **clock)
        return sink.complete()

    def rows(self, extraction: Extraction) -> list[Row]:
        return [row for file in extraction.files for row in self._rows_of(file)]

    def _rows_of(self, file: ExtractedFile) -> list[Row]:
        store = LocalStore(self.lake if file.store == "lake" else self.place.folder)
        with store.open_read(file.key) as stored:
            data = stored.read()
        if file.format is FileFormat.PARQUET:
            return pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()  # type: ignore[no-any-return]
        text = data.decode("utf-8-sig")
        if file.format is FileFormat.CSV:
            return list(csv.DictReader(io.StringIO(text, newline="")))
        return [json.loads(line) for line in text.splitlines()]

    def read(self, name: str, interval: Interval, **options: Any) -> list[Row]:
        return self.rows(self.extract(name, interval, **options))


@pytest.fixture
def reader(place: Place, tmp_path: Path) -> Reader:
    place.sandbox.reset()
    return Reader(place, tmp_path / "lake")


def _sorted(rows: list[Row]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def test_every_kind_of_source_is_under_contract() -> None:
    assert {case.kind for case in CASES.values()} == set(EXTRACTORS)


@pytest.mark.parametrize("name", CASES)
def test_every_row_of_the_interval_arrives_once_with_the_last_page_and_the_total(reader: Reader, name: str) -> None:
    expected = CASES[name].truth(reader.place, interval_of(3))
    extraction = reader.extract(name, interval_of(3))
    assert len(expected) > 10
    assert _sorted(reader.rows(extraction)) == _sorted(expected)
    if CASES[name].path:
        assert extraction.row_count == (len(expected) if CASES[name].counts_rows else None)


@pytest.mark.parametrize("name", CASES)
def test_the_same_interval_gives_the_same_rows_again(reader: Reader, name: str) -> None:
    assert reader.read(name, interval_of(3)) == reader.read(name, interval_of(3), batch="b2")


@pytest.mark.parametrize("name", WINDOWED)
def test_intervals_that_meet_have_no_gap_and_no_overlap(reader: Reader, name: str) -> None:
    parts = [row for day in range(3) for row in reader.read(name, interval_of(1, FIRST + timedelta(days=day)))]
    assert _sorted(parts) == _sorted(reader.read(name, interval_of(3)))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.has_late_rows])
def test_rows_that_came_late_are_there_when_their_interval_is_read_again(reader: Reader, name: str) -> None:
    since = NOW + timedelta(hours=1)
    reader.sandbox.faults.add(Fault(kind="late_rows", path=CASES[name].path, since=since, row_share=0.5))
    early = reader.read(name, interval_of(3))
    reader.sandbox.clock.set(since)
    try:
        expected = CASES[name].truth(reader.place, interval_of(3))
        again = reader.read(name, interval_of(3), batch="b2")
    finally:
        reader.sandbox.clock.set(NOW)
    assert 0 < len(early) < len(expected)
    assert _sorted(again) == _sorted(expected)


FAULTS = {
    "429": {"kind": "rate_limited"},
    "429-seconds": {"kind": "rate_limited", "retry_after_seconds": 30},
    "429-date": {"kind": "rate_limited", "retry_after_seconds": 30, "retry_after_form": "http_date"},
    "500": {"kind": "server_error", "status": 500},
    "503-seconds": {"kind": "server_error", "status": 503, "retry_after_seconds": 2},
    "truncated": {"kind": "truncated_body"},
    "dropped": {"kind": "connection_drop"},
    "error-text": {"kind": "error_text"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", HTTP_CASES)
def test_what_fails_for_a_moment_changes_nothing(reader: Reader, name: str, fault: str) -> None:
    expected = CASES[name].truth(reader.place, interval_of(2))
    made = reader.sandbox.faults.add(Fault.model_validate({**FAULTS[fault], "path": CASES[name].path, "times": 2}))
    extraction = reader.extract(name, interval_of(2))
    assert reader.sandbox.faults.times_met(made) == 2
    assert _sorted(reader.rows(extraction)) == _sorted(expected)
    assert extraction.row_count == (len(expected) if CASES[name].counts_rows else None)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("500", TransientError), ("429", TransientError), ("truncated", TransientError), ("error-text", DataError)],
)
@pytest.mark.parametrize("name", HTTP_CASES)
def test_what_keeps_failing_is_an_error_that_says_what_to_do_next(
    reader: Reader, name: str, fault: str, error: type[PenstockError]
) -> None:
    path = CASES[name].path
    reader.sandbox.faults.add(Fault.model_validate({**FAULTS[fault], "path": path, "times": None, "after": 1}))
    after_first = interval_of(3)
    if CASES[name].one_request:
        reader.extract(name, after_first, batch="uses-up-the-first")
    with pytest.raises(error) as caught:
        reader.extract(name, after_first)
    assert caught.value.guidance
    assert caught.value.connection == "acme-system"
    assert [info.key for info in LocalStore(reader.lake).list("ingest/") if "/b1/" in info.key] == []


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.token_path])
def test_a_token_that_expires_on_the_way_is_renewed(reader: Reader, name: str) -> None:
    case = CASES[name]
    expected = case.truth(reader.place, interval_of(3))
    reader.place.sandbox.log.clear()
    made = reader.sandbox.faults.add(Fault(kind="expired_token", path=case.path, after=1))
    assert _sorted(reader.read(name, interval_of(3))) == _sorted(expected)
    assert reader.sandbox.faults.times_met(made) == 1
    assert len(reader.sandbox.log.requests(case.token_path)) == 2


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.fixed_token])
def test_a_fixed_token_that_expires_stops_the_extraction(reader: Reader, name: str) -> None:
    reader.sandbox.faults.add(Fault(kind="expired_token", path=CASES[name].path))
    with pytest.raises(RejectedError, match="Renew the credentials") as caught:
        reader.extract(name, interval_of(2))
    assert caught.value.connection == "acme-system"


@pytest.mark.parametrize("kind", ["repeated_page_token", "missing_page_token"])
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.has_pages])
def test_paging_that_goes_wrong_is_an_error_and_not_a_short_table(reader: Reader, name: str, kind: str) -> None:
    reader.sandbox.faults.add(Fault.model_validate({"kind": kind, "path": CASES[name].path, "after": 2}))
    with pytest.raises(DataError):
        reader.extract(name, interval_of(3))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.column])
def test_a_change_of_columns_arrives_as_it_is(reader: Reader, name: str) -> None:
    case = CASES[name]
    before = reader.read(name, interval_of(1))
    reader.sandbox.faults.add(Fault(kind="schema_change", path=case.path, change="remove", column=case.column))
    reader.sandbox.faults.add(Fault(kind="schema_change", path=case.path, change="add", column="brand_new"))
    after = reader.read(name, interval_of(1), batch="b2")
    assert len(after) == len(before)
    assert set(before[0]) - set(after[0]) == {case.column}
    assert {row["brand_new"] for row in after} == {"added"}


@pytest.mark.parametrize("fault", [None, "500", "error-text"])
@pytest.mark.parametrize("secret", [None, WRONG_SECRET])
@pytest.mark.parametrize("name", HTTP_CASES)
def test_no_secret_and_no_row_is_in_logs_errors_or_artifacts(
    reader: Reader, name: str, secret: str | None, fault: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        path = CASES[name].path
        reader.sandbox.faults.add(Fault.model_validate({**FAULTS[fault], "path": path, "times": None}))
    shown = [repr(CASES[name].connect(reader.place, secret))]
    try:
        shown.append(repr(reader.extract(name, interval_of(1), secret=secret)))
    except PenstockError as error:
        shown += [str(error), repr(error), repr(error.context()), "".join(traceback.format_exception(error))]
    shown += [record.getMessage() for record in caplog.records]
    everything = "\n".join(shown)
    for hidden in (WRONG_SECRET, *CASES[name].secrets, "Bearer ", "Basic ", "Please try again"):
        assert hidden not in everything
    stored = b"".join(path.read_bytes() for path in reader.lake.rglob("*") if path.is_file())
    for hidden in (WRONG_SECRET, *CASES[name].secrets):
        assert hidden.encode() not in stored
    assert caplog.records
