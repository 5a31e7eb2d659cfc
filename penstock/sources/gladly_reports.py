"""What Gladly documents about its reports: their names, their grain, and where they stop without saying so.

Facts: Gladly REST API v1, `POST /reports` (metricSet, aggregationLevel); row caps as connectors have met them.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.findings import Finding, nearest
from penstock.sources.base import DatasetSpec
from penstock.sources.gladly import GladlyDataset
from penstock.window import TimeWindow

# The enumeration of the OpenAPI file, 2026-11; a newer name still runs, and is only pointed out.
_DOCUMENTED = """
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
"""Report names (metricSet) as Gladly writes them."""


def is_event_report(report: str) -> bool:
    """Tells whether a report has a row per event, so that a busy day alone may come near the cap."""
    return "Timestamps" in report or "WorkSessionEvents" in report


def is_record_report(report: str) -> bool:
    """Tells whether a report has a row per event or record instead of per period; those cannot be aggregated."""
    return is_event_report(report) or "Export" in report


def check_gladly_dataset(dataset: DatasetSpec, window: TimeWindow) -> Iterator[Finding]:
    """Yields what Gladly would refuse, or cut off without a word.

    Args:
        dataset: A Gladly dataset; others have nothing to say here.
        window: The window it is read by.
    """
    if not isinstance(dataset, GladlyDataset) or dataset.report is None:
        return
    report = dataset.report
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
