from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from deployments.asking import parse_guards
from penstock.artifacts import Guards, Interval, LoadPlan, TableRef
from penstock.errors import DataError
from penstock.strategy import FullRefresh
from tasks.warehouses.guards import RejectedRow, check_rejected, check_replacement, check_shrink

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def plan(guards: Guards) -> LoadPlan:
    return LoadPlan(
        client="acme",
        pipeline="acme-daily",
        source="rest",
        dataset="orders",
        target=TableRef(schema_name="acme_bronze", name="rest__orders"),
        strategy=FullRefresh(kind="full_refresh"),
        interval=Interval(start=None, end=None, as_of=NOW),
        batch_id="b1",
        run_id="r1",
        extracted_at=NOW,
        guards=guards,
    )


@pytest.mark.parametrize(
    "check",
    [
        lambda plan: check_replacement(plan, rows_replaced=10, rows_landed=0),
        lambda plan: check_shrink(plan, rows_before=1_000, rows_landed=1),
        lambda plan: check_rejected(plan, 7, RejectedRow("a.csv", 3, "a key column is NULL")),
    ],
    ids=["empty", "shrunk", "rejected"],
)
def test_a_guard_names_the_option_that_lets_one_run_pass(check: Callable[[LoadPlan], None]) -> None:
    with pytest.raises(DataError) as caught:
        check(plan(Guards()))
    (option,) = re.findall(r"`--guard (\S+)`", caught.value.guidance)
    overrides = parse_guards([option])
    assert overrides is not None
    check(plan(overrides.over(Guards())))
