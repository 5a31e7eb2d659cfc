"""What Gladly documents about its reports and exports: names, grain, and the time they can be asked for.

Facts: Gladly REST API v1, `POST /reports` (metricSet, aggregationLevel, startAtTime) and `GET /export/jobs`.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.findings import Finding, nearest
from penstock.sources.base import DatasetSpec
from penstock.sources.gladly import GladlyDataset
from penstock.window import DailyWindow, IntradayRelativeWindow, TimeWindow, parse_duration

# The enumeration of the OpenAPI file, 2026-11; a newer name still runs, and is only pointed out.
_DOCUMENTED = """
work-session-events
AgentAwayTimeReport AgentAvailableTimeReportV2 AgentDurationsReport AgentDurationsReportV2 AgentLoginTimeReport
AgentSummary AgentSummaryV2 AgentSummaryGlanceReport AgentSummaryGlanceReportV2 AgentTimestampsReport
FirstContactResolutionByAgentV2Report PaymentsByAgentReport WorkSessionEventsReportV3 WorkSessionEventsReportV4
WorkSessionsReport WorkSessionsReportV3 AnswerUsageReport AnswerUsageByAgentReport ChannelMixReportV2
ChannelWaitTimeReport ChannelWaitTimeReportV2 ContactExportReportV3 ContactSummaryReport ContactSummaryReportV2
ContactSummaryCountsReport ContactSummaryDurationsReport ContactSummaryDurationsReportV2 ContactTimestampsReport
ConversationExportReport ConversationSidekickExportReport ConversationSummaryReport ConversationTimestampsReport
AbandonedCallsInIVRReport AutoThrottleMissedConversationsReport IVRExecutiveSummaryReportV2 IvrEndStatesReportV2
PaymentsSummaryReport ProactiveVoiceSummaryReport TopicHierarchyReport TaskExportReport TaskSummaryReport
TaskTimestampsReport TopicSummaryReport AutoThrottleChangesReport ChatDisplayPctChangesReport
HelpCenterAnswerSearchReport HelpCenterAnswerUsageReport QuickActionsUsageReport SelfServiceThreadsReport
SidekickAssistsByClassificationTopicReport GladAppAnswerSearchReport GladAppAnswerUsageReport
GladAppContactPointsReport GladlyAISessionsDetailReport GladlyAISessionsDetailWithMessagesReport
"""

REPORTS = frozenset(_DOCUMENTED.split())
"""Report names (metricSet) as Gladly writes them, and the one report that has an endpoint of its own."""

TAKES_MINUTES = frozenset(
    {
        "AgentSummary",
        "AgentSummaryV2",
        "AgentSummaryReport",
        "ContactExportReportV3",
        "WorkSessionEventsReportV4",
        "work-session-events",
    }
)
"""Reports that can be asked for minutes (`startAtTime`, `endAtTime`); all others take whole days."""

EXPORT_DAYS = 14
"""How long Gladly keeps an export job's files."""


def is_event_report(report: str) -> bool:
    """Tells whether a report has a row per event, so that a busy day alone may come near the cap."""
    return "Timestamps" in report or "WorkSessionEvents" in report


def is_record_report(report: str) -> bool:
    """Tells whether a report has a row per event or record instead of per period; those cannot be aggregated."""
    return is_event_report(report) or "Export" in report


def check_gladly_dataset(dataset: DatasetSpec, window: TimeWindow) -> Iterator[Finding]:
    """Yields what Gladly would refuse or no longer has, before it is asked.

    A report that is longer than its row cap is no matter for a check: the extraction halves its days until it fits.

    Args:
        dataset: A Gladly dataset; others have nothing to say here.
        window: The window it is read by.
    """
    if not isinstance(dataset, GladlyDataset):
        return
    if dataset.export is not None:
        yield from _gone_exports(dataset.export, window)
    if dataset.report is not None:
        yield from _report_findings(dataset, dataset.report, window)


def _report_findings(dataset: GladlyDataset, report: str, window: TimeWindow) -> Iterator[Finding]:
    if report not in REPORTS:
        yield Finding(
            ("report",),
            f"Gladly documents no report `{report}`",
            "Report names are exact, capitals included.",
            is_error=False,
            suggestion=nearest(report, REPORTS),
        )
    if dataset.aggregation and is_record_report(report):
        yield Finding(
            ("aggregation",),
            f"`{report}` has one row per event or record, which Gladly does not aggregate",
            "Remove `aggregation`, or choose one of the summary reports.",
        )
    if window.kind == "full":
        yield Finding(
            ("report",),
            f"the report `{report}` needs a start and an end, and the window is `full`",
            "Give the dataset a window with bounds, such as {kind: daily}.",
        )
    elif window.kind not in {"daily", "interval"} and report not in TAKES_MINUTES:
        yield Finding(
            ("window",),
            f"`{report}` takes whole days only, and a `{window.kind}` window seldom begins and ends at midnight",
            "Use a `daily` window, which may be read again during the day with `days`.",
            is_error=False,
        )


def _gone_exports(export: str, window: TimeWindow) -> Iterator[Finding]:
    if isinstance(window, DailyWindow):
        days = parse_duration(window.lag).days + window.days - 1
    elif isinstance(window, IntradayRelativeWindow):
        days = parse_duration(window.lookback).days
    else:
        return
    if days >= EXPORT_DAYS:
        yield Finding(
            ("window",),
            f"Gladly keeps export jobs for {EXPORT_DAYS} days, and the window reaches {days} days back for `{export}`",
            f"Let it reach back {EXPORT_DAYS - 1} days at most.",
        )
