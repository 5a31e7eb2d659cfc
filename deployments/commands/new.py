"""`penstock new`: the first files of a client or a pipeline."""

from __future__ import annotations

from typing import Annotated

import typer

new = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Begin a client or a pipeline."
)

Client = Annotated[str, typer.Argument(help="Lower-case words joined by hyphens, such as warby-parker.")]
PipelineName = Annotated[str, typer.Argument(help="Lower-case words joined by hyphens; also the file's name.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose pipeline it is.")]
Source = Annotated[str, typer.Option("--source", help="Kind of source: gladly, rest, s3_files or sql.")]
Connection = Annotated[str | None, typer.Option(help="Logical name of the credentials; <client>-<source> by default.")]
Zone = Annotated[str, typer.Option("--timezone", help="Zone of the windows and of the schedule.")]


@new.command()
def client(name: Client) -> None:
    """Make a client's folder and flow."""
    from deployments.problem_display import shown_path
    from deployments.scaffolding import new_client
    from tasks.definitions.project import find_project

    for path in new_client(find_project(), name):
        print(f"wrote {shown_path(path)}")
    print(f"Next: `penstock new pipeline {name}-rest-daily --client {name} --source rest`")


@new.command()
def pipeline(
    name: PipelineName,
    client_name: ClientOption,
    source: Source,
    connection: Connection = None,
    timezone: Zone = "UTC",
) -> None:
    """Make a commented pipeline file for a kind of source."""
    from deployments.problem_display import shown_path
    from deployments.scaffolding import default_connection, new_pipeline
    from tasks.definitions.project import PLATFORMS_FOLDER, find_project

    written = new_pipeline(
        find_project(), name, client=client_name, source=source, connection=connection, timezone=timezone
    )
    for path in written:
        print(f"wrote {shown_path(path)}")
    used = connection or default_connection(client_name, source)
    print(f"Next: say what `{used}` means in each file of {PLATFORMS_FOLDER}, then run `penstock validate`.")
