"""The `penstock` command.

Each subcommand is a module of `deployments.commands` with one function of its name (or one `typer.Typer`), imported
only when it is called, so that `penstock --help` imports none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from penstock.errors import ConfigurationError, PenstockError

EXIT_FAILED = 1
EXIT_WRONG_USAGE = 2


class CommandEntry(NamedTuple):
    """One subcommand: the module that has it, and its line in the list of commands."""

    name: str
    module: str
    help: str


COMMANDS = (
    CommandEntry("demo", "deployments.commands.demo", "Run the example pipeline against a sandbox; show its tables."),
    CommandEntry("run", "deployments.commands.run", "Run a pipeline now: extract, stage, load, transform."),
    CommandEntry("backfill", "deployments.commands.backfill", "Load a range of time in windows."),
    CommandEntry("plan", "deployments.commands.plan", "Show what a run would do; touches nothing."),
    CommandEntry("status", "deployments.commands.status", "Show last loads, gaps and freshness, from the ledger."),
    CommandEntry(
        "validate", "deployments.commands.validate", "Check pipeline and platform files; needs no connection."
    ),
    CommandEntry("doctor", "deployments.commands.doctor", "Check that everything a platform names can be used."),
    CommandEntry("blocks", "deployments.commands.blocks", "Bring Prefect's blocks to what a file says."),
    CommandEntry("compile", "deployments.commands.compile", "Write prefect.yaml from the pipeline files."),
    CommandEntry("deploy", "deployments.commands.deploy", "Make a Prefect server's deployments those of the files."),
    CommandEntry("schema", "deployments.commands.schema", "Print or write the JSON Schemas that editors complete by."),
    CommandEntry(
        "warehouse", "deployments.commands.warehouse", "Set up the warehouse: roles, compute, stages, tables."
    ),
    CommandEntry("new", "deployments.commands.new", "Begin a client or a pipeline."),
    CommandEntry("docs", "deployments.commands.docs", "Serve or write the catalogue: datasets, models, lineage."),
    CommandEntry("sandbox", "deployments.commands.sandbox", "Serve emulated source APIs on a local port."),
)


class CommandGroup(TyperGroup):
    """Lists commands from the table, and imports one when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for entry in installed_commands():
            self.commands[entry.name] = TyperCommand(entry.name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the command as usual, then puts the imported one in the place of its entry."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


@cache
def installed_commands() -> tuple[CommandEntry, ...]:
    """Returns the commands whose module is there, so that help never names one that cannot be called."""
    return tuple(entry for entry in COMMANDS if find_spec(entry.module) is not None)


def load_command(name: str) -> Any:
    """Imports a subcommand."""
    entry = next(entry for entry in installed_commands() if entry.name == name)
    found = getattr(import_module(entry.module), name)
    if not isinstance(found, typer.Typer):
        command, found = found, typer.Typer(add_completion=False, rich_markup_mode=None)
        found.command(name)(command)
    command = typer.main.get_command(found)
    command.name = name
    return command


app = typer.Typer(
    cls=CommandGroup,
    name="penstock",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich's would take as long to import as all else that --help does
    pretty_exceptions_enable=False,
    help="ELT on Prefect: a client's pipeline is one YAML file, and every window lands exactly once.",
    epilog="Exit codes: 0 ok, 1 failed, 2 wrong usage or invalid files.",
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from penstock import __version__

        print(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def penstock(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error; may stand anywhere.")] = False,
) -> None:
    """Holds the options that all commands share."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and ends the process with its exit code.

    Args:
        arguments: What was typed after `penstock`; the process's own by default.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in typed
    try:
        app([argument for argument in typed if argument != "--debug"], prog_name="penstock")
    except (PenstockError, OSError) as error:
        if is_debugging or (isinstance(error, OSError) and error.filename is None):
            raise
        from deployments.problem_display import print_error

        told = refused_path(error) if isinstance(error, OSError) else error
        print_error(told)
        sys.exit(EXIT_WRONG_USAGE if isinstance(told, ConfigurationError) else EXIT_FAILED)
    sys.exit(0)


def refused_path(error: OSError) -> ConfigurationError:
    """Returns what to say of a file or folder that the operating system refused, wherever a command met it."""
    return ConfigurationError(
        "a file or folder cannot be used",
        guidance="Check the path, the rights on it, and that there is a folder where one is needed.",
        path=error.filename,
        reason=error.strerror,
    )


if __name__ == "__main__":
    main()
