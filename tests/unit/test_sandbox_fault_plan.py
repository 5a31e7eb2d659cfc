"""Which request meets which fault."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from sandbox.faults import Fault, FaultPlan
from sandbox.request_log import RecordedRequest, RequestLog
from sandbox.schema_changes import change_record, change_table

SINCE = datetime(2026, 3, 10, tzinfo=UTC)


def kinds(plan: FaultPlan, path: str = "/rest/orders", method: str = "GET", text: str = "") -> list[str]:
    return [fault.kind for fault in plan.take(method, path, text)]


def test_a_fault_lets_its_first_requests_pass_and_is_then_used_up():
    plan = FaultPlan()
    fault = plan.add(Fault(kind="server_error", path="/rest/*", after=2, times=2))
    met = [kinds(plan) for _ in range(6)]
    assert met == [[], [], ["server_error"], ["server_error"], [], []]
    assert plan.times_met(fault) == 2


def test_a_fault_without_times_never_ends():
    plan = FaultPlan()
    plan.add(Fault(kind="rate_limited", times=None))
    assert [kinds(plan) for _ in range(5)] == [["rate_limited"]] * 5


def test_requests_of_another_path_method_or_text_neither_meet_nor_count():
    plan = FaultPlan()
    plan.add(Fault(kind="error_text", path="*/reports", method="POST", contains="AgentTimestamps", after=1))
    assert kinds(plan, "/gladly/a/api/v1/agents", "POST", "AgentTimestamps") == []
    assert kinds(plan, "/gladly/a/api/v1/reports", "GET", "AgentTimestamps") == []
    assert kinds(plan, "/gladly/a/api/v1/reports", "POST", "ContactTimestamps") == []
    assert kinds(plan, "/gladly/a/api/v1/reports", "POST", "AgentTimestamps") == []
    assert kinds(plan, "/gladly/a/api/v1/reports", "POST", "AgentTimestamps") == ["error_text"]


def test_faults_on_one_path_are_met_one_after_the_other_and_slowness_beside_them():
    plan = FaultPlan()
    plan.add(Fault(kind="rate_limited"))
    plan.add(Fault(kind="server_error"))
    plan.add(Fault(kind="slow", times=2))
    assert [kinds(plan) for _ in range(3)] == [["rate_limited", "slow"], ["server_error", "slow"], []]


def test_clearing_takes_every_fault_out_of_force():
    plan = FaultPlan()
    plan.add(Fault(kind="connection_drop", times=None))
    plan.clear()
    assert plan.in_force() == []
    assert kinds(plan) == []


@pytest.mark.parametrize("wrong", [{"kind": "flood"}, {"kind": "slow", "tims": 3}, {"kind": "slow", "times": 0}])
def test_a_fault_with_an_unknown_kind_or_field_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)


def test_late_rows_are_hidden_until_the_clock_reaches_their_arrival():
    plan = FaultPlan()
    plan.add(Fault(kind="late_rows", path="/gladly/*", since=SINCE, rows_from=datetime(2026, 3, 9, tzinfo=UTC)))
    before, after = datetime(2026, 3, 9, 23, tzinfo=UTC), datetime(2026, 3, 10, 0, tzinfo=UTC)
    late = plan.late_rows("/gladly/x/api/v1/reports", before)
    assert late.hides(int(before.timestamp() * 1000) - 1, "key")
    assert not late.hides(int(datetime(2026, 3, 8, tzinfo=UTC).timestamp() * 1000), "key")
    assert not plan.late_rows("/gladly/x/api/v1/reports", after)
    assert not plan.late_rows("/rest/orders", before)


def test_a_share_of_late_rows_is_chosen_by_key_the_same_way_each_time():
    plan = FaultPlan()
    plan.add(Fault(kind="late_rows", since=SINCE, row_share=0.25))
    late = plan.late_rows("/rest/orders", datetime(2026, 3, 1, tzinfo=UTC))
    hidden = {key for key in map(str, range(2000)) if late.hides(0, key)}
    assert 400 < len(hidden) < 600
    assert hidden == {key for key in map(str, range(2000)) if late.hides(0, key)}


def test_schema_changes_hold_from_their_date():
    plan = FaultPlan()
    change = plan.add(Fault(kind="schema_change", since=SINCE, change="rename", column="a", new_name="b"))
    assert plan.schema_changes("/rest/orders", datetime(2026, 3, 9, tzinfo=UTC)) == []
    assert plan.schema_changes("/rest/orders", SINCE) == [change]


def test_schema_changes_move_header_and_rows_together():
    changes = [
        Fault(kind="schema_change", change="remove", column="b"),
        Fault(kind="schema_change", change="rename", column="c", new_name="see"),
        Fault(kind="schema_change", change="add", column="d"),
        Fault(kind="schema_change", change="remove", column="unknown"),
    ]
    columns, rows = change_table(("a", "b", "c"), [("1", "2", "3"), ("4", None, "6")], changes)
    assert list(columns) == ["a", "see", "d"]
    assert [list(row) for row in rows] == [["1", "3", "added"], ["4", "6", "added"]]
    assert change_record({"a": 1, "b": 2, "c": 3}, changes) == {"a": 1, "see": 3, "d": "added"}


def test_the_request_log_masks_secret_parameters_and_keeps_the_rest():
    log = RequestLog()
    log.hide_parameter("Key")
    assert log.masked(b"page=2&api_key=hush&key=hush&next_token=abc") == "page=2&api_key=***&key=***&next_token=abc"
    assert log.masked(b"page=2&per_page=%2A") == "page=2&per_page=%2A"


def test_the_request_log_finds_requests_by_path_and_service():
    log = RequestLog()
    for service, path in [("rest", "/rest/orders"), ("rest", "/rest/accounts"), ("gladly", "/gladly/x/api/v1/agents")]:
        log.record(RecordedRequest(service, "GET", path, "", 0.0, 200))
    assert [entry.path for entry in log.requests("/rest/o*")] == ["/rest/orders"]
    assert len(log.requests(service="rest")) == 2
    log.clear()
    assert len(log) == 0
