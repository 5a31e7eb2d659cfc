"""The flow of orbit."""

from __future__ import annotations

from typing import Any

from prefect import State, flow

from flows.elt import run_pipeline
from penstock.plan import RunOptions
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow


@flow(name="orbit", flow_run_name="{pipeline}")
def orbit(
    pipeline: str,
    window: TimeWindow | None = None,
    load_strategy: LoadStrategy | None = None,
    datasets: list[str] | None = None,
    transform: bool = True,
    options: RunOptions = RunOptions(),
) -> State[Any]:
    """Runs one of the client's pipelines.

    Args:
        pipeline: Name of the pipeline's file.
        window: Another time window than the file's, for this run.
        load_strategy: Another load strategy than the file's, for this run.
        datasets: Only these datasets; all of them when left empty.
        transform: Whether dbt builds silver and gold afterwards.
        options: What a run by hand may ask besides.
    """
    return run_pipeline(
        pipeline, options, window=window, load_strategy=load_strategy, datasets=datasets, transform=transform
    )
