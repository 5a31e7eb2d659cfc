"""Which days a glob names, and when a dataset's wait ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.artifacts import Interval, RunKind
from penstock.errors import ConfigurationError
from penstock.pipeline import PIPELINES
from penstock.plan import DatasetPlan, RunOptions, RunRequest, decide
from penstock.sources.s3_files import FilesDataset, WaitSpec
from penstock.sources.traits import files_traits
from tasks.await_files import awaited, wait_of
from tasks.sources.s3_files.days import day_globs

AT = datetime(2026, 3, 9, 10, tzinfo=UTC)


def interval(start: str, end: str, timezone: str = "America/New_York") -> Interval:
    return Interval(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), timezone=timezone, as_of=AT)


@pytest.mark.parametrize(
    ("glob", "start", "end", "globs"),
    [
        ("in/*.csv", "2026-03-08T05:00Z", "2026-03-09T04:00Z", ["in/*.csv"]),
        ("in/{day}/*.csv", "2026-03-08T05:00Z", "2026-03-09T04:00Z", ["in/2026-03-08/*.csv"]),
        ("{day:%Y}/{day:%m%d}.csv", "2026-03-07T05:00Z", "2026-03-09T04:00Z", ["2026/0307.csv", "2026/0308.csv"]),
        ("{day:%Y-%m}/*.csv", "2026-03-07T05:00Z", "2026-03-09T04:00Z", ["2026-03/*.csv"]),
        ("{day}.csv", "2026-03-08T20:00Z", "2026-03-09T05:00Z", ["2026-03-08.csv", "2026-03-09.csv"]),
    ],
)
def test_a_glob_names_each_local_day_of_the_interval_once(glob: str, start: str, end: str, globs: list[str]) -> None:
    assert day_globs(glob, interval(start, end)) == globs


def test_a_glob_with_days_needs_bounds() -> None:
    full = Interval(start=None, end=None, as_of=AT)
    assert day_globs("a/*.csv", full) == ["a/*.csv"]
    with pytest.raises(ConfigurationError, match="needs a window with bounds") as caught:
        day_globs("{day}.csv", full)
    assert caught.value.glob == "{day}.csv"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"glob": "{day}.csv"}, "it needs `select: all`"),
        ({"glob": "{day}.csv", "select": "window"}, "it needs `select: all`"),
        ({"glob": "a.csv", "select": "window", "wait_for": {"deadline": "1h"}}, "were not modified in the interval"),
        ({"glob": "a.csv", "wait_for": {"deadline": "0m"}}, "at least a minute"),
        ({"glob": "a.csv", "wait_for": {"deadline": "1h", "poll": "0h"}}, "at least a minute"),
    ],
)
def test_what_could_never_be_read_or_waited_for_is_refused_when_the_file_is_read(
    given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        FilesDataset.model_validate({"name": "a", **given})


def test_days_in_the_glob_make_a_dataset_honour_its_window() -> None:
    dated = FilesDataset.model_validate({"name": "a", "glob": "{day}.csv", "select": "all"})
    undated = FilesDataset.model_validate({"name": "a", "glob": "a.csv", "select": "all"})
    assert files_traits(dated).honours_window
    assert not files_traits(undated).honours_window


def plan(**request: Any) -> DatasetPlan:
    pipeline = PIPELINES["s3_files"].model_validate(
        {
            "version": 1, "pipeline": "late", "client": "acme", "source": {"kind": "s3_files", "connection": "drops"},
            "window": {"kind": "full"}, "load_strategy": {"kind": "append"},
            "datasets": [{"name": "a", "glob": "a.csv", "wait_for": {"deadline": "4h", "poll": "10m"}}],
        }
    )  # fmt: skip
    [decided] = decide(pipeline, RunRequest(pipeline="late", scheduled_at=AT, run_id="r", **request), {})
    assert isinstance(decided, DatasetPlan)
    return decided


def test_the_deadline_is_counted_from_the_scheduled_time_and_the_last_look_is_at_it() -> None:
    wait = WaitSpec(deadline="4h", poll="10m", minimum_files=2)
    one = plan()

    def look(found: int, minutes: int) -> datetime | None:
        waiting = awaited(one, wait, found, AT + timedelta(minutes=minutes))
        return waiting.look_again_at if waiting else None

    assert look(1, 0) == AT + timedelta(minutes=10)
    assert look(0, 235) == AT + timedelta(hours=4)
    assert look(1, 240) is None
    assert look(2, 0) is None


def test_a_backfill_and_a_run_that_reuses_an_extraction_do_not_wait() -> None:
    assert wait_of(plan()) is not None
    assert wait_of(plan(run_kind=RunKind.BACKFILL)) is None
    reusing = plan().model_copy(
        update={"request": RunRequest(pipeline="late", scheduled_at=AT, run_id="r", options=RunOptions(reuse="ingest"))}
    )
    assert wait_of(reusing) is None
