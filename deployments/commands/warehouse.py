"""`penstock warehouse`: the warehouse's own set-up, as code."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import PlatformName

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the SQL and run nothing.")]

warehouse = typer.Typer(no_args_is_help=True, help="Set up the warehouse that a platform loads into.")


@warehouse.callback()
def _warehouse() -> None:
    """Set up the warehouse that a platform loads into."""


@warehouse.command()
def init(platform: PlatformName = None, dry_run: DryRun = False) -> None:
    """Create databases, roles, grants, compute, stages and Penstock's tables; may be run again."""
    from blocks.resolution import resolve_connection
    from deployments.running import chosen_platform
    from tasks.definitions.project import find_project
    from tasks.environment import current_environment
    from tasks.warehouses.initialising import init_statements, init_warehouse

    with chosen_platform(platform):
        environment = current_environment(find_project(), connections=())
        connection = resolve_connection(environment.platform.warehouse, "warehouse")
        if dry_run:
            statements = init_statements(connection, environment.lake())
            print("\n".join(f"{statement};" for statement in statements) or "-- nothing but Penstock's own tables")
            return
        statements = init_warehouse(connection, environment.lake())
        print(f"The warehouse is set up ({len(statements)} statements in its account); its tables are up to date.")
