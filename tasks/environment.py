"""Opens what a platform's logical names mean: the lake, the warehouse, and each connection."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import cast, get_args

from blocks.resolution import resolve_connection
from penstock.artifacts import LAKE
from penstock.connections import AnyConnection, DbtCloudConnection, StoreConnection, WarehouseConnection
from penstock.errors import ConfigurationError
from penstock.platform import DbtCloudJob, PlatformSpec
from tasks.definitions.project import Project
from tasks.definitions.reading import read_platform
from tasks.staging.contract import ObjectStore
from tasks.staging.opening import open_store
from tasks.warehouses.contract import Warehouse
from tasks.warehouses.opening import open_warehouse

_STORES = get_args(StoreConnection)
_WAREHOUSES = get_args(WarehouseConnection)


class Environment:
    """A platform, opened where it is needed: only its description crosses tasks.

    A plain class, because Prefect walks through tuples, models and dataclasses among a task's parameters.
    """

    def __init__(self, platform: PlatformSpec) -> None:
        self.platform = platform

    def lake(self) -> ObjectStore:
        """Opens the platform's own object store."""
        return open_store(resolve_connection(self.platform.store, "store", accepted=_STORES))

    def warehouse(self) -> Warehouse:
        """Opens the platform's warehouse."""
        return open_warehouse(resolve_connection(self.platform.warehouse, "warehouse", accepted=_WAREHOUSES))

    def store(self, name: str) -> ObjectStore:
        """Opens the lake, or the store that a connection leads to."""
        return self.lake() if name == LAKE else open_store(self.connection(name))

    def dbt_cloud(self) -> DbtCloudConnection:
        """Resolves the dbt Cloud account of a platform that builds there.

        Raises:
            ConfigurationError: the platform builds with dbt Core.
        """
        dbt = self.platform.dbt
        if not isinstance(dbt, DbtCloudJob):
            raise ConfigurationError("the platform does not build in dbt Cloud", guidance="Set `dbt.engine: cloud`.")
        found = resolve_connection(dbt.connection, "dbt", accepted=(DbtCloudConnection,))
        return cast("DbtCloudConnection", found)

    def connection(self, name: str) -> AnyConnection:
        """Resolves a connection's logical name.

        Raises:
            ConfigurationError: the platform does not say what the name means.
        """
        if name not in self.platform.connections:
            raise ConfigurationError(
                "the platform has no such connection",
                guidance=f"Add it under `connections` in deployments/platforms/{self.platform.platform}.yaml.",
                platform=self.platform.platform,
                connection=name,
            )
        return resolve_connection(self.platform.connections[name], name)


def current_environment(project: Project, *, connections: Collection[str] | None = None) -> Environment:
    """Opens the platform that `PENSTOCK_PLATFORM` names (default `local`).

    Args:
        project: Whose platform.
        connections: Those that are used, all by default; what others lack does not matter.

    Raises:
        DefinitionProblems: the platform or one of these connections cannot be used as written.
    """
    return Environment(read_platform(os.environ.get("PENSTOCK_PLATFORM", "local"), project, connections=connections))
