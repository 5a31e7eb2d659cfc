"""What every source's pipeline file has: the source itself, its datasets, and what both say about loading."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from penstock.artifacts import Guards, SchemaContract
from penstock.feeds import AiToolDailyFeed
from penstock.freshness import FreshnessSetting
from penstock.governance import DatasetGovernance
from penstock.spec import Name, Spec, TableName
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow


class SourceSpec(Spec):
    """A system of one kind, and the connection that leads to it."""

    kind: str
    connection: Name = Field(description="Logical name; the platform file says what it means.")


class DatasetSpec(Spec):
    """One table's worth of a source. What is unset comes from the pipeline."""

    name: TableName
    description: str = ""
    table: TableName | None = Field(default=None, description="Bronze table; default `<source>__<dataset>`.")
    window: TimeWindow | None = None
    load_strategy: LoadStrategy | None = None
    schema_contract: SchemaContract = "evolve"
    guards: Guards = Guards()
    freshness: FreshnessSetting | None = Field(
        default=None, description="How old the newest load may be; by default what the schedules give."
    )
    governance: DatasetGovernance = DatasetGovernance()
    feeds: AiToolDailyFeed | None = Field(
        default=None, description="The table of dbt's that the dataset is a part of, without models of its own."
    )
    cluster_by: tuple[str, ...] = Field(
        default=(), description="Clustering key of the table on Snowflake: bronze columns; others pass it over."
    )


class SourceTraits(Spec):
    """What a source can do, for checks made before anything runs."""

    honours_window: bool = Field(description="Whether an extraction reads only the interval; a backfill needs it.")
    absent_rows_are_deleted: bool = Field(
        default=False, description="Whether a full extraction holds every row that exists."
    )
    keeps_types: bool = Field(
        default=False, description="Whether bronze has the types of the source's files instead of text."
    )


InstanceName = TableName


class Instance(Spec):
    """One of several connections over which a pipeline's datasets are repeated."""

    name: InstanceName
    connection: Name


Reuse = Annotated[Literal["none", "ingest", "stage"], Field(description="What of an earlier extraction to use again.")]
