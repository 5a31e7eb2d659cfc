"""Builds gold with dbt and reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.models.bronze import query
from tests.models.dbt_process import DbtProcess

Gold = dict[str, list[tuple[object, ...]]]

GOLD_KEYS = {
    "fct_contact_events": "event_id",
    "fct_contacts": "contact_id",
    "fct_agent_stints": "stint_id",
    "fct_conversations": "conversation_id",
    "fct_conversation_resolutions": "conversation_id",
    "fct_csat_responses": "response_id",
    "fct_fte_plan_weekly": "team_week_id",
    "fct_social_messages": "message_id",
    "fct_social_posts": "post_id",
    "fct_social_posts_daily": "profile_day_id",
    "dim_agents": "agent_key",
    "dim_channels": "channel",
    "dim_inboxes": "inbox_id",
    "dim_teams": "team_name",
    "agg_agents_daily": "agent_day_id",
    "agg_channels_daily": "channel_day_id",
    "agg_csat_daily": "csat_day_id",
    "agg_first_contact_resolution_daily": "channel_day_id",
    "agg_mailboxes_daily": "mailbox_day_id",
    "agg_service_level_intervals": "channel_interval_id",
    "agg_social_profiles_daily": "profile_day_id",
    "rpt_service_level_daily": "channel_day_id",
    "fct_ops__incidents": "incident_key",
    "bridge_ops__incident_service": "incident_service_key",
    "dim_ops__services": "service_key",
    "agg_ops__incidents_weekly": "incident_week_key",
    "fct_ops__slo_daily": "slo_day_key",
    "rpt_ops__slo_attainment": "slo_month_key",
    "dim_customers_history": "customer_version_id",
    "dim_inventory": "inventory_id",
    "dim_products": "product_id",
    "dim_products_history": "product_version_id",
    "fct_orders": "order_id",
    "fct_order_lines": "order_line_id",
    "agg_sales_daily": "date_day",
    "rpt_customer_value": "customer_id",
    "fct_ai_telemetry__tool_daily_metrics": "tool_day_id",
    "fct_ai_telemetry__weekly_eng_ai_tokens": "engineer_week_id",
    "dim_ai_telemetry__engineers": "engineer_id",
    "rpt_ai_telemetry__cost_monthly": "tool_month_id",
    "rpt_social_engagement_weekly": "network_week_id",
    "rpt_staffing_forecast_vs_actual": "channel_interval_id",
    "rpt_unreadable_values": "typed_column_id",
}


# Fixtures of rows; once they have passed, data cannot make them fail.
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


@dataclass
class Built:
    """A warehouse that dbt built twice: each node's status of the first build, and gold's rows after each."""

    warehouse: Path
    dbt: DbtProcess
    statuses: dict[str, str]
    first: Gold
    second: Gold


def build_gold(dbt: DbtProcess, warehouse: Path, *arguments: str) -> Gold:
    """Builds and returns gold's rows in order of their keys."""
    ended = dbt.run("build", *arguments)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-1000:]
    return {table: query(warehouse, f"SELECT * FROM gold.{table} ORDER BY {key}") for table, key in GOLD_KEYS.items()}


def comparable(rows: Sequence[tuple[Any, ...]]) -> list[tuple[object, ...]]:
    """Returns rows in one order, with values as every driver gives them: decimals as floats, instants in UTC."""
    return sorted((tuple(_plain(value) for value in row) for row in rows), key=repr)


def _plain(value: Any) -> object:
    if isinstance(value, Decimal | float):
        return round(float(value), 6)
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value
