"""Random batches, repeated and out of order, come to what a model of each strategy in plain Python comes to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.artifacts import TableRef
from penstock.errors import GuardError
from tasks.staging.local import LocalStore
from tests.contract.test_warehouse_contract import OPENERS
from tests.contract.warehouse_cases import Loader, day, in_order
from tests.contract.warehouse_model import (
    AppendModel,
    Batch,
    CdcModel,
    FullRefreshModel,
    HistoricalModel,
    IncrementalModel,
    Model,
    PartitionModel,
    RefusedError,
    Row,
)

EXAMPLES = 5
KEYS, VALUES = ("a", "b", "c"), (None, "", "x", "y")


class Case:
    """A strategy, its model, and batches for it; `as_text` is how a row's order is written in the file."""

    def __init__(
        self,
        strategy: dict[str, Any],
        model: Callable[[], Model],
        *,
        rows: st.SearchStrategy[Row],
        is_full: bool = False,
        as_text: Callable[[Any], Any] = str,
    ) -> None:
        self.strategy = strategy
        self.model = model
        self.as_text = as_text
        ends = st.integers(1, 4).flatmap(lambda first: st.tuples(st.just(first), st.integers(first + 1, first + 3)))
        spans = st.just((None, None)) if is_full else ends
        self.batches = st.lists(
            st.builds(
                lambda span, extracted, found: Batch(span[0], span[1], extracted, found),
                spans,
                st.sampled_from([40.0, 41.0, 42.0, 43.0]),
                st.lists(rows, max_size=5),
            ),
            min_size=2,
            max_size=4,
        )


def _rows(order: st.SearchStrategy[Any], *, with_op: bool = False) -> st.SearchStrategy[Row]:
    columns = {"id": st.sampled_from(KEYS), "seq": order, "value": st.sampled_from(VALUES)}
    return st.fixed_dictionaries(columns | ({"op": st.sampled_from(["u", "d"])} if with_op else {}))


def _as_day(number: Any) -> str:
    return day(number).strftime("%Y-%m-%dT%H:%M:%SZ")


NUMBERS = st.integers(8, 12)
CASES = {
    "full_refresh": Case({"kind": "full_refresh"}, FullRefreshModel, rows=_rows(NUMBERS), is_full=True),
    "append": Case({"kind": "append"}, AppendModel, rows=_rows(NUMBERS)),
    "partition": Case(
        {"kind": "partition", "column": "seq"}, PartitionModel, rows=_rows(st.integers(1, 4)), as_text=_as_day
    ),
    "incremental": Case(
        {"kind": "incremental", "keys": ["id"], "order_by": "seq"},
        lambda: IncrementalModel(ordered=True),
        rows=_rows(st.none() | NUMBERS),
        as_text=lambda number: number,
    ),
    "incremental without order": Case(
        {"kind": "incremental", "keys": ["id"]}, lambda: IncrementalModel(ordered=False), rows=_rows(NUMBERS)
    ),
    "historical": Case(
        {"kind": "historical", "keys": ["id"], "order_by": "seq"},
        lambda: HistoricalModel(ordered=True, close=False),
        rows=_rows(st.integers(38, 44)),
        as_text=_as_day,
    ),
    "historical without order": Case(
        {"kind": "historical", "keys": ["id"]},
        lambda: HistoricalModel(ordered=False, close=False),
        rows=_rows(st.just(1)),
    ),
    "historical that closes": Case(
        {"kind": "historical", "keys": ["id"], "order_by": "seq", "absent": "close"},
        lambda: HistoricalModel(ordered=True, close=True),
        rows=_rows(st.integers(38, 44)),
        is_full=True,
        as_text=_as_day,
    ),
    "historical that closes without order": Case(
        {"kind": "historical", "keys": ["id"], "absent": "close"},
        lambda: HistoricalModel(ordered=False, close=True),
        rows=_rows(st.just(1)),
        is_full=True,
    ),
    "cdc with soft deletes": Case(
        {"kind": "cdc", "keys": ["id"], "order_by": "seq", "delete_column": "op"},
        lambda: CdcModel(hard=False),
        rows=_rows(NUMBERS, with_op=True),
    ),
    "cdc with hard deletes": Case(
        {"kind": "cdc", "keys": ["id"], "order_by": "seq", "delete_column": "op", "deletes": "hard"},
        lambda: CdcModel(hard=True),
        rows=_rows(NUMBERS, with_op=True),
    ),
}


@pytest.fixture(params=sorted(OPENERS))
def new_loader(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Loader]:
    """One warehouse for all examples of a strategy, a table for each."""
    warehouse, store, numbers = OPENERS[request.param](tmp_path), LocalStore(tmp_path / "lake"), itertools.count()
    warehouse.migrate()
    return lambda: Loader(warehouse, store, TableRef(schema_name="acme_bronze", name=f"rows_{next(numbers)}"))


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_batches_come_to_what_the_model_comes_to(
    new_loader: Callable[[], Loader], name: str, data: st.DataObject
) -> None:
    case = CASES[name]
    batches = data.draw(case.batches)
    repeated = data.draw(st.lists(st.sampled_from(batches), max_size=1))
    loader, model = new_loader(), case.model()
    for batch in [*batches, *repeated]:
        _load_both(case, loader, model, batch)
    expected = [_as_table(case, row) for row in model.rows()]
    assert _table(loader, expected) == in_order(expected)


def _load_both(case: Case, loader: Loader, model: Model, batch: Batch) -> None:
    lines = [json.dumps({**row, "seq": case.as_text(row["seq"])}) for row in batch.rows]
    at = None if batch.first is None else (batch.first, batch.last)
    try:
        model.load(batch)
    except RefusedError:
        with pytest.raises(GuardError):
            _load(case, loader, at, batch, lines)
    else:
        _load(case, loader, at, batch, lines)


def _load(case: Case, loader: Loader, at: Any, batch: Batch, lines: list[str]) -> None:
    body = {"jsonl": "".join(line + "\n" for line in lines), "source": loader.new_name()}
    loader.load(case.strategy, [body], at=at, extracted=batch.extracted, reload=True)


def _as_table(case: Case, row: Row) -> Row:
    """Returns a model's row as the table tells it."""
    seq = case.as_text(row["seq"])
    told = {**row, "seq": None if seq is None else str(seq)}
    for name in ("_valid_from", "_valid_to"):
        if told.get(name) is not None:
            told[name] = _as_day(told[name])
    return told


def _table(loader: Loader, expected: list[Row]) -> list[Row]:
    if not expected and not loader.is_there():
        return []
    names = list(expected[0]) if expected else ["id"]
    return in_order([{name: row.get(name) for name in names} for row in loader.rows()])
