"""A platform file: what the logical names of pipelines mean in one environment (`local`, `dev`, `prod`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from penstock.connections import Connection, StoreConnection, WarehouseConnection
from penstock.spec import Name, Spec

BLOCK_PREFIX = "penstock-"
"""What the type of a block begins with; the kind of connection that it holds follows."""


class BlockRef(Spec):
    """A connection whose settings and secrets are in a Prefect block."""

    block: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$")] = Field(
        description="`<block type>/<block name>`, such as `penstock-gladly/warbyparker`."
    )

    @property
    def kind(self) -> str:
        """The kind of connection that the block holds, which its type's name says."""
        return self.block.partition("/")[0].removeprefix(BLOCK_PREFIX).replace("-", "_")


def _inline_or_block(value: Any) -> str:
    return "block" if isinstance(value, BlockRef) or (isinstance(value, dict) and "block" in value) else "inline"


ConnectionSetting = Annotated[
    Annotated[Connection, Tag("inline")] | Annotated[BlockRef, Tag("block")], Discriminator(_inline_or_block)
]
"""Settings of one of the connection kinds, or `{block: type/name}`."""

StoreSetting = Annotated[
    Annotated[Annotated[StoreConnection, Field(discriminator="kind")], Tag("inline")]
    | Annotated[BlockRef, Tag("block")],
    Discriminator(_inline_or_block),
]
"""Where objects are: settings, or `{block: type/name}`."""

WarehouseSetting = Annotated[
    Annotated[Annotated[WarehouseConnection, Field(discriminator="kind")], Tag("inline")]
    | Annotated[BlockRef, Tag("block")],
    Discriminator(_inline_or_block),
]
"""Where tables are: settings, or `{block: type/name}`."""


class DbtTarget(Spec):
    """The dbt project that builds silver and gold, and its target for this platform."""

    project_dir: Path = Field(default=Path("dbt"), description="Folder of the dbt project, from the project's root.")
    profiles_dir: Path = Field(
        default_factory=lambda data: data.get("project_dir", Path("dbt")),
        description="Folder of profiles.yml; the dbt project's own by default.",
    )
    target: str = Field(description="A target of the dbt profile.")
    threads: int | None = Field(default=None, ge=1, description="The profile's number by default.")


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
    dbt: DbtTarget = Field(description="How silver and gold are built here.")
    work_pool: str | None = Field(default=None, description="Prefect work pool that deployments run in.")
    image: str | None = Field(default=None, description="Container image for the work pool's jobs.")
    job_variables: dict[str, Any] = Field(
        default_factory=dict,
        description="Given to the work pool's jobs. Prefect keeps them in clear: no secrets here.",
    )
    tags: tuple[Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=100)], ...] = Field(
        default=(), description="Tags of every deployment of the platform."
    )
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

    @property
    def managed_limits(self) -> dict[str, int]:
        """Prefect's global concurrency limits that this platform has, by their names there."""
        return {limit_name(self.platform, connection): limit for connection, limit in self.limits.items()}


def limit_name(platform: str, connection: str) -> str:
    """Returns the name of the global concurrency limit that holds a connection's extractions in Prefect."""
    return f"penstock:{platform}:{connection}"
