"""What is wrong with a pipeline although every key is well-formed; needs no connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import product
from typing import NamedTuple

from penstock.artifacts import METADATA_COLUMNS
from penstock.feeds import check_feed
from penstock.findings import Finding, Where
from penstock.governance import check_governance
from penstock.naming import qualified_dataset
from penstock.pipeline import PipelineSpec, target_of
from penstock.schedule import ScheduleSpec, changes_clocks, narrowest_day_gap, widest_day_gap, widest_gap
from penstock.sources.base import DatasetSpec, SourceTraits
from penstock.sources.registry import SOURCES, SourceKind
from penstock.strategy import Append, Cdc, Historical, Incremental, LoadStrategy, Partition
from penstock.window import DailyWindow, FullWindow, IntradayRelativeWindow, TimeWindow, parse_duration
from penstock.window_resolution import overlaps_itself


class _Case(NamedTuple):
    """One dataset with its own or the pipeline's window and strategy."""

    kind: SourceKind
    spec: DatasetSpec
    window: TimeWindow
    strategy: LoadStrategy

    @property
    def traits(self) -> SourceTraits:
        """What this dataset does with a window."""
        return self.kind.dataset_traits(self.spec)


def check_pipeline(pipeline: PipelineSpec) -> list[Finding]:
    """Returns everything that can be known to be wrong, or surprising, from the file alone."""
    found = [
        *_repeated(("datasets", "dataset"), (spec.name for spec in pipeline.datasets)),
        *_repeated(("for_each", "instance"), (instance.name for instance in pipeline.for_each)),
        *_missing(pipeline),
        *_shared_targets(pipeline),
        *_repeated(
            ("schedules", "schedule"),
            (one.name or f"schedule-{number}" for number, one in enumerate(pipeline.schedules, start=1)),
        ),
        *_schedules(pipeline),
        *_templates(pipeline),
    ]
    for index, spec in enumerate(pipeline.datasets):
        governance = spec.governance.over(pipeline.governance)
        own = (*check_governance(governance), *check_feed(spec.feeds))
        found += [finding.below("datasets", index) for finding in own]
        case = _case(pipeline, spec)
        if case is not None:
            found += [
                _placed(finding, index, spec)
                for finding in (*_check_case(case, pipeline.schedules), *_unread_time(case, pipeline.schedules))
            ]
    return list(dict.fromkeys(found))


def _placed(finding: Finding, index: int, spec: DatasetSpec) -> Finding:
    """Returns a dataset's finding with its place in the file: a shared load strategy stands at the top."""
    is_shared = finding.where[0] == "load_strategy" and spec.load_strategy is None
    return finding if is_shared else finding.below("datasets", index)


def _repeated(place: tuple[str, str], names: Iterable[str]) -> Iterator[Finding]:
    section, noun = place
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Finding((section, index, "name"), f"two {noun}s are named `{name}`", "Give each its own name.")
        seen.add(name)


def _missing(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Yields each dataset that has no window or strategy; one finding for the pipeline where none has any."""
    for key in ("window", "load_strategy"):
        if getattr(pipeline, key) is not None:
            continue
        lacking = [index for index, spec in enumerate(pipeline.datasets) if getattr(spec, key) is None]
        if len(lacking) == len(pipeline.datasets):
            yield Finding(
                (key,),
                f"`{key}` is missing",
                f"Set `{key}` at the top of the pipeline, for all datasets, or in each dataset.",
            )
            continue
        for index in lacking:
            yield Finding(
                ("datasets", index, key),
                f"`{key}` is missing for the dataset `{pipeline.datasets[index].name}`",
                f"Set `{key}` in the dataset, or at the top of the pipeline for all datasets without one.",
            )


def _shared_targets(pipeline: PipelineSpec) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for (index, spec), instance in product(enumerate(pipeline.datasets), pipeline.for_each or (None,)):
        target = str(target_of(pipeline, spec, instance))
        name = qualified_dataset(spec.name, instance.name if instance else None)
        if target in seen and seen[target] != name:
            yield Finding(
                ("datasets", index, "table" if spec.table else "name"),
                f"the datasets `{seen[target]}` and `{name}` are both loaded into `{target}`",
                "Give each dataset a table of its own with `table`.",
            )
        seen.setdefault(target, name)


def _schedules(pipeline: PipelineSpec) -> Iterator[Finding]:
    counted = Counter((schedule.cron, schedule.timezone) for schedule in pipeline.schedules)
    for index, schedule in enumerate(pipeline.schedules):
        if counted[schedule.cron, schedule.timezone] > 1:
            yield Finding(("schedules", index, "cron"), "a schedule is given twice", "Keep one of them.")
            counted[schedule.cron, schedule.timezone] = 0
        if schedule.runs_per_day() > 1 and changes_clocks(schedule.timezone):
            yield Finding(
                ("schedules", index, "timezone"),
                f"`{schedule.cron}` runs several times a day in {schedule.timezone}, whose clocks change: "
                "Prefect leaves out the runs of the hour that comes twice",
                "Put a schedule that runs more than daily in UTC, or use a `since_last` window, which leaves no gap.",
                is_error=False,
                suggestion="UTC",
            )


def _templates(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Yields texts of a deployment that Prefect would take for a template, and could fill with a secret."""
    texts: list[tuple[Where, str]] = [(("description",), pipeline.description)]
    texts += [(("tags", index), tag) for index, tag in enumerate(pipeline.tags)]
    for where, text in texts:
        if "{{" in text:
            yield Finding(where, "Prefect replaces what stands in `{{ }}` when it deploys", "Write it without braces.")


def _case(pipeline: PipelineSpec, spec: DatasetSpec) -> _Case | None:
    window, strategy = spec.window or pipeline.window, spec.load_strategy or pipeline.load_strategy
    if window is None or strategy is None:
        return None
    return _Case(SOURCES[pipeline.source.kind], spec, window, strategy)


def _check_case(case: _Case, schedules: Sequence[ScheduleSpec]) -> Iterator[Finding]:
    yield from _ignored_window(case)
    yield from _strategy_against_window(case, schedules)
    yield from _columns(case.strategy)
    yield from case.kind.check(case.spec, case.window)


def _ignored_window(case: _Case) -> Iterator[Finding]:
    if isinstance(case.window, FullWindow) or case.traits.honours_window:
        return
    yield Finding(
        ("window",),
        f"the dataset `{case.spec.name}` reads everything at once and cannot keep to its `{case.window.kind}` window",
        f"{case.kind.window_hint}, or set the dataset's window to {{kind: full}}.",
    )


def _strategy_against_window(case: _Case, schedules: Sequence[ScheduleSpec]) -> Iterator[Finding]:
    strategy, window = case.strategy, case.window
    if isinstance(strategy, Append) and overlaps_itself(window, days_between_runs=narrowest_day_gap(schedules) or 1):
        yield Finding(
            ("load_strategy",),
            f"successive `{window.kind}` windows of the dataset `{case.spec.name}` overlap, and `append` would hold "
            "the rows of the overlap twice",
            "Load it with `incremental`, `partition` or `historical`, or make the window end where the next begins.",
        )
    if isinstance(strategy, Partition) and isinstance(window, FullWindow):
        yield Finding(
            ("load_strategy",),
            f"`partition` replaces the rows of an interval, and the window of `{case.spec.name}` is `full`",
            "Give the dataset a window with bounds, or load it with `full_refresh`.",
        )
    if isinstance(strategy, Historical) and strategy.absent == "close":
        yield from _closing(case)


def _unread_time(case: _Case, schedules: Sequence[ScheduleSpec]) -> Iterator[Finding]:
    """Yields a window that is shorter than the time between two scheduled runs: what lies between is never read."""
    gap, reach = _gap_and_reach(case.window, schedules)
    if gap <= reach:
        return
    yield Finding(
        ("window",),
        f"up to {_in_words(gap)} pass between two scheduled runs, and the window of `{case.spec.name}` reads "
        f"{_in_words(reach)}: the time between is not read",
        "Make the window longer, run more often, or use a `since_last` window, which reads on from the last load.",
        is_error=False,
    )


def _gap_and_reach(window: TimeWindow, schedules: Sequence[ScheduleSpec]) -> tuple[timedelta, timedelta]:
    """Returns the time between runs and the time that one reads; equal where a run reads on from the one before."""
    if isinstance(window, DailyWindow):
        return timedelta(days=widest_day_gap(schedules) or 0), timedelta(days=window.days)
    active = [schedule for schedule in schedules if schedule.active]
    if isinstance(window, IntradayRelativeWindow) and len(active) == 1:
        back, lag = parse_duration(window.lookback), parse_duration(window.lag)
        return widest_gap(active[0]), timedelta(days=back.days - lag.days, minutes=back.minutes - lag.minutes)
    return timedelta(0), timedelta(0)


def _in_words(span: timedelta) -> str:
    if span % timedelta(days=1):
        return f"{span // timedelta(minutes=1)} minutes"
    return "1 day" if span.days == 1 else f"{span.days} days"


def _closing(case: _Case) -> Iterator[Finding]:
    if not isinstance(case.window, FullWindow):
        yield Finding(
            ("load_strategy", "absent"),
            f"`absent: close` on a `{case.window.kind}` window would end the history of every key outside the slice",
            "Set the dataset's window to {kind: full}, or `absent: keep`.",
        )
    elif not case.traits.absent_rows_are_deleted:
        yield Finding(
            ("load_strategy", "absent"),
            f"an extraction of `{case.spec.name}` does not hold every row that exists, so an absent key is not deleted",
            "Set `absent: keep`.",
        )


def _columns(strategy: LoadStrategy) -> Iterator[Finding]:
    if isinstance(strategy, Partition) and strategy.column in METADATA_COLUMNS:
        yield Finding(
            ("load_strategy", "column"),
            f"`{strategy.column}` is a column that Penstock adds, which says nothing of when a row happened",
            "Name the dataset's own time column; `append` replaces by the loaded interval.",
        )
    if isinstance(strategy, Incremental | Historical | Cdc):
        for index, key in enumerate(strategy.key_columns):
            if key in METADATA_COLUMNS:
                yield Finding(
                    ("load_strategy", "keys", index),
                    f"`{key}` is a column that Penstock adds, and differs from load to load",
                    "Name the columns that identify a row at the source.",
                )
