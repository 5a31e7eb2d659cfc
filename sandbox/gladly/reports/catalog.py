"""The metric sets that Gladly knows, and those that the sandbox serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sandbox.gladly.problems import BadRequestError, Problem
from sandbox.gladly.reports import agent_sets, contact_sets, conversation_sets, work_sessions
from sandbox.gladly.reports.request import ReportRequest, ReportRules
from sandbox.gladly.world import World


@dataclass(frozen=True)
class MetricSet:
    """One report: its header, its rows, and what its requests may say."""

    name: str
    columns: Sequence[str]
    rows: Callable[[World, ReportRequest], Iterable[Sequence[str | None]]]
    rules: ReportRules = field(default_factory=ReportRules)


METRIC_SETS: tuple[MetricSet, ...] = (
    MetricSet("ContactTimestampsReport", contact_sets.CONTACT_TIMESTAMPS_COLUMNS, contact_sets.contact_timestamps),
    MetricSet(
        "ContactExportReportV3",
        contact_sets.CONTACT_EXPORT_COLUMNS,
        contact_sets.contact_export,
        ReportRules(takes_minutes=True),
    ),
    MetricSet(
        "ConversationTimestampsReport",
        conversation_sets.CONVERSATION_TIMESTAMPS_COLUMNS,
        conversation_sets.conversation_timestamps,
    ),
    MetricSet(
        "ConversationExportReport",
        conversation_sets.CONVERSATION_EXPORT_COLUMNS,
        conversation_sets.conversation_export,
    ),
    MetricSet("AgentTimestampsReport", agent_sets.AGENT_TIMESTAMPS_COLUMNS, agent_sets.agent_timestamps),
    MetricSet("AgentDurationsReportV2", agent_sets.AGENT_DURATIONS_COLUMNS, agent_sets.agent_durations),
    MetricSet(
        "AgentSummaryV2",
        agent_sets.AGENT_SUMMARY_COLUMNS,
        agent_sets.agent_summary,
        ReportRules(takes_level=True, takes_minutes=True),
    ),
)

WORK_SESSION_EVENTS = MetricSet(
    "work-session-events",
    work_sessions.WORK_SESSION_COLUMNS,
    work_sessions.work_sessions,
    ReportRules(needs_minutes=True),
)

# The enum of the reference's `metricSet`, without those above.
_OTHER_METRIC_SETS = frozenset(
    {
        "AgentAwayTimeReport",
        "AgentAvailableTimeReportV2",
        "AgentDurationsReport",
        "AgentLoginTimeReport",
        "AgentSummary",
        "AgentSummaryGlanceReport",
        "AgentSummaryGlanceReportV2",
        "FirstContactResolutionByAgentV2Report",
        "PaymentsByAgentReport",
        "WorkSessionEventsReportV3",
        "WorkSessionEventsReportV4",
        "WorkSessionsReport",
        "WorkSessionsReportV3",
        "AnswerUsageReport",
        "AnswerUsageByAgentReport",
        "ChannelMixReportV2",
        "ChannelWaitTimeReport",
        "ChannelWaitTimeReportV2",
        "ContactSummaryReport",
        "ContactSummaryReportV2",
        "ContactSummaryCountsReport",
        "ContactSummaryDurationsReport",
        "ContactSummaryDurationsReportV2",
        "ConversationSidekickExportReport",
        "ConversationSummaryReport",
        "AbandonedCallsInIVRReport",
        "AutoThrottleMissedConversationsReport",
        "IVRExecutiveSummaryReportV2",
        "IvrEndStatesReportV2",
        "PaymentsSummaryReport",
        "ProactiveVoiceSummaryReport",
        "TopicHierarchyReport",
        "TaskExportReport",
        "TaskSummaryReport",
        "TaskTimestampsReport",
        "TopicSummaryReport",
        "AutoThrottleChangesReport",
        "ChatDisplayPctChangesReport",
        "HelpCenterAnswerSearchReport",
        "HelpCenterAnswerUsageReport",
        "QuickActionsUsageReport",
        "SelfServiceThreadsReport",
        "SidekickAssistsByClassificationTopicReport",
        "GladAppAnswerSearchReport",
        "GladAppAnswerUsageReport",
        "GladAppContactPointsReport",
        "GladlyAISessionsDetailReport",
        "GladlyAISessionsDetailWithMessagesReport",
    }
)


def find_metric_set(name: object) -> MetricSet:
    """Returns the report of a `metricSet`; a lower first letter is accepted, as a connector saw.

    Raises:
        BadRequestError: There is no such report, or the sandbox does not serve it.
    """
    if not isinstance(name, str) or not name:
        raise BadRequestError(Problem("blank", "metricSet cannot be blank", "metricSet"))
    pascal = name[0].upper() + name[1:]
    found = next((metric_set for metric_set in METRIC_SETS if metric_set.name == pascal), None)
    if found is not None:
        return found
    detail = "is a report that this sandbox does not serve" if pascal in _OTHER_METRIC_SETS else "is invalid"
    raise BadRequestError(Problem("invalid", f"metricSet {detail}", "metricSet"))
