"""A platform file: what the logical names of pipelines mean in one environment (`local`, `dev`, `prod`)."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from penstock.connections import Connection, DbtCloudConnection, StoreConnection, WarehouseConnection, kinds_of
from penstock.governance import GovernanceSpec
from penstock.spec import Name, Spec
from penstock.window import Duration

BLOCK_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$"
BlockName = Annotated[str, StringConstraints(pattern=BLOCK_PATTERN)]
"""`<block type>/<block name>`."""

BLOCK_TYPE_PREFIX = "penstock-"
_MISSPELT = 0.9


def block_type_of(kind: str) -> str:
    """Returns the slug of the block type that holds a kind of connection; slugs have hyphens, no underscores."""
    return f"{BLOCK_TYPE_PREFIX}{kind.replace('_', '-')}"


class BlockRef(Spec):
    """A connection whose settings and secrets are in a Prefect block."""

    block: BlockName = Field(description="`<block type>/<block name>`, such as `penstock-gladly/warbyparker`.")

    @property
    def type(self) -> str:
        """The block type's slug."""
        return self.block.partition("/")[0]

    @property
    def name(self) -> str:
        """The block's name, unique among those of its type."""
        return self.block.partition("/")[2]

    @property
    def kind(self) -> str:
        """The kind of connection that blocks of this type hold, where it is one of Penstock's."""
        return self.type.removeprefix(BLOCK_TYPE_PREFIX).replace("-", "_")


def _inline_or_block(value: Any) -> str:
    return "block" if isinstance(value, BlockRef) or (isinstance(value, dict) and "block" in value) else "inline"


def _holding(connections: Any) -> AfterValidator:
    """Returns a check that blocks of the named type hold one of these connections."""
    known = [block_type_of(kind) for kind in kinds_of(connections)]

    def check(reference: BlockRef) -> BlockRef:
        if reference.type in known:
            return reference
        close = get_close_matches(reference.type, known, n=1, cutoff=_MISSPELT)
        hint = f"did you mean `{close[0]}`?" if close else f"types that can: {', '.join(known)}"
        raise ValueError(f"blocks of type `{reference.type}` cannot be used here; {hint}")

    return AfterValidator(check)


ConnectionSetting = Annotated[
    Annotated[Connection, Tag("inline")] | Annotated[BlockRef, _holding(Connection), Tag("block")],
    Discriminator(_inline_or_block),
]
"""Settings of one of the connection kinds, or `{block: type/name}`."""

StoreSetting = Annotated[
    Annotated[Annotated[StoreConnection, Field(discriminator="kind")], Tag("inline")]
    | Annotated[BlockRef, _holding(StoreConnection), Tag("block")],
    Discriminator(_inline_or_block),
]
"""Where objects are: settings, or `{block: type/name}`."""

WarehouseSetting = Annotated[
    Annotated[Annotated[WarehouseConnection, Field(discriminator="kind")], Tag("inline")]
    | Annotated[BlockRef, _holding(WarehouseConnection), Tag("block")],
    Discriminator(_inline_or_block),
]
"""Where tables are: settings, or `{block: type/name}`."""


DbtCloudSetting = Annotated[
    Annotated[DbtCloudConnection, Tag("inline")] | Annotated[BlockRef, _holding(DbtCloudConnection), Tag("block")],
    Discriminator(_inline_or_block),
]
"""A dbt Cloud account: settings, or `{block: type/name}`."""


class DbtTarget(Spec):
    """The dbt project that builds silver and gold, and its target for this platform: dbt Core runs beside the loads."""

    engine: Literal["core"] = "core"
    project_dir: Path = Field(default=Path("dbt"), description="Folder of the dbt project, from the project's root.")
    profiles_dir: Path = Field(
        default_factory=lambda data: data.get("project_dir", Path("dbt")),
        description="Folder of profiles.yml; the dbt project's own by default.",
    )
    target: str = Field(description="A target of the dbt profile.")
    threads: int | None = Field(default=None, ge=1, description="The profile's number by default.")
    builds_at_once: int = Field(
        default=1,
        ge=1,
        le=100,
        description="How many runs build at a time, over all workers; the others wait. Two that build one table get "
        "into each other's way, so more than one is for pipelines that share no model. A DuckDB file takes one anyway.",
    )


class DbtCloudJob(Spec):
    """A job of dbt Cloud that builds silver and gold; each run says what to build, whatever the job's own steps are."""

    engine: Literal["cloud"]
    connection: DbtCloudSetting = Field(description="The dbt Cloud account, and a token that may run the job.")
    project_dir: Path = Field(
        default=Path("dbt"), description="Folder of the job's dbt project in this repository, from the project's root."
    )
    job_id: int = Field(ge=1, description="The number at the end of the job's address in dbt Cloud.")
    deadline: Duration = Field(
        default="2h",
        description="How long a run may take, its time in the queue included; it is cancelled then. A day is 24 hours.",
    )
    poll_seconds: float = Field(default=10.0, gt=0, le=600, description="How often dbt Cloud is asked how a run does.")
    target: str | None = Field(default=None, description="Another target name than the environment's.")
    schema_override: str | None = Field(default=None, description="Another schema than the environment's.")
    threads: int | None = Field(default=None, ge=1, description="Another number of threads than the environment's.")


def _engine_of(value: Any) -> Any:
    return value.get("engine", "core") if isinstance(value, dict) else getattr(value, "engine", "core")


DbtSetting = Annotated[
    Annotated[DbtTarget, Tag("core")] | Annotated[DbtCloudJob, Tag("cloud")], Discriminator(_engine_of)
]
"""What runs dbt: dbt Core unless `engine: cloud`."""


class AlertSpec(Spec):
    """Which runs of the platform's deployments somebody is told of, and how."""

    on: tuple[Literal["failed", "crashed", "late", "stuck"], ...] = Field(
        min_length=1,
        description="`late`: a worker has not begun it. `stuck`: it has not ended `stuck_after` after its start.",
    )
    notify: BlockName = Field(description="A Prefect notification block, such as `slack-webhook/data-team`.")
    stuck_after: Duration = Field(default="6h", description="How long a run may take; days count as 24 hours here.")


class ThreadRunner(Spec):
    """Datasets are landed by threads of the run's own process."""

    kind: Literal["threads"]


class DaskRunner(Spec):
    """Datasets are landed by the processes of a Dask cluster (`pip install "penstock[dask]"`)."""

    kind: Literal["dask"]
    address: str | None = Field(
        default=None, description="A scheduler that is there, such as tcp://host:8786; a local cluster without it."
    )
    processes: int = Field(default=2, ge=1, le=64, description="Processes of the local cluster.")


class RayRunner(Spec):
    """Datasets are landed by the workers of a Ray cluster (`pip install "penstock[ray]"`)."""

    kind: Literal["ray"]
    address: str | None = Field(
        default=None, description="A cluster that is there, such as ray://host:10001; a local one without it."
    )
    processes: int = Field(default=2, ge=1, le=64, description="Processes of the local cluster.")


TaskRunnerSetting = Annotated[ThreadRunner | DaskRunner | RayRunner, Field(discriminator="kind")]
"""Where the datasets of a run are landed."""


class PlatformSpec(Spec):
    """An environment: stores, connections, and where runs happen."""

    version: Literal[1] = Field(description="Version of the file format.")
    platform: Name = Field(description="The platform's name, which is also the file's.")
    home: Path = Field(
        default=Path(".penstock"), description="Where local state and caches live; `PENSTOCK_HOME` by default."
    )
    store: StoreSetting = Field(description="The object store that holds the zones ingest, stage and exports.")
    warehouse: WarehouseSetting = Field(description="The warehouse that holds bronze and the ledger.")
    connections: dict[Name, ConnectionSetting] = Field(
        default_factory=dict, description="What the connections that pipelines name mean here."
    )
    dbt: DbtSetting = Field(description="How silver and gold are built here.")
    governance: GovernanceSpec | None = Field(
        default=None, description="Who answers for the platform, and the most sensitive and longest kept data on it."
    )
    project: Name | None = Field(
        default=None,
        description="Tells this project's deployments from those of other projects on the same Prefect server; "
        "`penstock deploy --prune` and `alerts` need it.",
    )
    work_pool: str | None = Field(default=None, description="Prefect work pool that deployments run in.")
    work_pool_type: Literal["process", "docker", "ecs", "kubernetes"] = Field(
        default="process", description="What the pool's workers start: a process, or a container of `image`."
    )
    image: str | None = Field(default=None, description="Container image for the work pool's jobs.")
    job_variables: dict[str, Any] = Field(
        default_factory=dict,
        description="Given to the work pool's jobs. Prefect keeps them in clear: no secrets here.",
    )
    tags: tuple[Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=100)], ...] = Field(
        default=(), description="Tags of every deployment of the platform."
    )
    concurrent_runs: int = Field(
        default=1,
        ge=1,
        le=100,
        description="How many runs of one deployment go at once; the others wait. More than one is for backfills.",
    )
    alerts: AlertSpec | None = Field(default=None, description="Who is told of runs that went wrong.")
    parallel_datasets: int = Field(
        default=4, ge=1, le=64, description="How many datasets of one run are landed at once."
    )
    task_runner: TaskRunnerSetting = Field(
        default=ThreadRunner(kind="threads"), description="What lands the datasets of a run; threads by default."
    )
    limits: dict[Name, Annotated[int, Field(ge=1, le=1000)]] = Field(
        default_factory=dict,
        description="How many extractions may use a connection at once, over all runs and all workers, by connection.",
    )

    @model_validator(mode="after")
    def _can_be_deployed(self) -> Self:
        if self.work_pool_type != "process" and self.image is None:
            raise ValueError(f"`work_pool_type: {self.work_pool_type}` needs an `image` that has the project")
        if self.alerts is not None and self.project is None:
            raise ValueError("`alerts` needs a `project`: its automations are told apart by it")
        return self

    @property
    def managed_limits(self) -> dict[str, int]:
        """Prefect's global concurrency limits that this platform has, by their names there."""
        of_connections = {self.limit_name(connection): limit for connection, limit in self.limits.items()}
        return of_connections | ({} if self.build_limit is None else {self.build_limit_name: self.build_limit})

    @property
    def build_limit(self) -> int | None:
        """How many runs build with dbt at a time; None where the warehouse or dbt Cloud sees to it by itself."""
        if isinstance(self.dbt, DbtCloudJob) or self.warehouse.kind == "duckdb":
            return None
        return self.dbt.builds_at_once

    @property
    def build_limit_name(self) -> str:
        """The name of the limit for dbt's builds in Prefect; with its space it is no connection's."""
        return f"{self.limit_prefix}dbt build"

    def limit_name(self, connection: str) -> str:
        """Returns the name of the global concurrency limit that holds a connection's extractions in Prefect.

        It begins with the project, where there is one: another's connection of that name is another thing.
        """
        return f"{self.limit_prefix}{connection}"

    @property
    def limit_prefix(self) -> str:
        """How the names of this platform's limits in Prefect begin, which marks them as ours."""
        return ":".join(["penstock", *([self.project] if self.project else []), self.platform, ""])
