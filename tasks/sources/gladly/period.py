"""The edge where an interval becomes a report's own words for time, and where a too full one is halved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.local_time import local_midnight
from tasks.sources.whole_days import whole_days

WORK_SESSION_EVENTS = "work-session-events"
"""The one report with an endpoint of its own, `POST /reports/work-session-events`."""

# The reference lists the first for minutes, a connector had to use them for V4; the last two take nothing else.
_TAKES_MINUTES = frozenset(
    {
        "AgentSummary",
        "AgentSummaryV2",
        "AgentSummaryReport",
        "ContactExportReportV3",
        "WorkSessionEventsReportV4",
        WORK_SESSION_EVENTS,
    }
)
_NEEDS_MINUTES = frozenset({"WorkSessionEventsReportV4", WORK_SESSION_EVENTS})
_MINUTE = timedelta(minutes=1)


def report_period(interval: Interval, report: str) -> dict[str, str]:
    """Returns the fields that state a half-open interval to a report.

    `startAt` and `endAt` are days of `timezone`, the last one included; `startAtTime` and `endAtTime` are minutes, the
    last one included as well ("up to 1 minute past"). So adjacent intervals tile without gap or overlap.

    Raises:
        ConfigurationError: The report cannot be asked for this interval.
    """
    if interval.is_full:
        raise _cannot_ask(interval, report, "Reports need a window with bounds, such as `daily`.")
    days = whole_days(interval)
    if days is not None and report not in _NEEDS_MINUTES:
        return {
            "startAt": days.first.isoformat(),
            "endAt": days.last.isoformat(),
            "timezone": str(days.zone),
        }
    if report not in _TAKES_MINUTES:
        raise _cannot_ask(
            interval, report, "This report takes whole days: use a `daily` window, or bounds at midnight of its zone."
        )
    start, end = interval.bounds()
    if any(bound.second or bound.microsecond for bound in (start, end)):
        raise _cannot_ask(interval, report, "This report takes whole minutes: align the window's bounds to minutes.")
    return {"startAtTime": _write_minute(start), "endAtTime": _write_minute(end - _MINUTE)}


def halve(interval: Interval, report: str) -> tuple[Interval, Interval] | None:
    """Returns an interval's two halves as a report can be asked for them, None where it is as small as can be.

    Days are kept whole down to one; below that only reports that take minutes can go.
    """
    start, end = interval.bounds()
    days = whole_days(interval)
    if days is not None and days.first < days.last and report not in _NEEDS_MINUTES:
        middle_day = days.first + ((days.last - days.first) + timedelta(days=1)) // 2
        return _cut(interval, local_midnight(middle_day, days.zone), str(days.zone))
    minutes = (end - start) // _MINUTE
    if report not in _TAKES_MINUTES or minutes < 2:  # noqa: PLR2004 - one minute has no halves
        return None
    return _cut(interval, start + minutes // 2 * _MINUTE, interval.timezone)


def _cut(interval: Interval, middle: datetime, timezone: str) -> tuple[Interval, Interval]:
    return (
        interval.model_copy(update={"end": middle, "timezone": timezone}),
        interval.model_copy(update={"start": middle, "timezone": timezone}),
    )


def _write_minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _cannot_ask(interval: Interval, report: str, guidance: str) -> ConfigurationError:
    return ConfigurationError(
        "the report cannot be asked for this window",
        guidance=guidance,
        report=report,
        start=interval.start,
        end=interval.end,
        timezone=interval.timezone,
    )
