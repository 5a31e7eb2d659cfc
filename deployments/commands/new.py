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
Source = Annotated[str | None, typer.Option("--source", help="Kind of source, such as gladly, rest or s3_files.")]
FromDbt = Annotated[
    str | None, typer.Option("--from-dbt", help="A source of the dbt project: a dataset for each of its tables.")
]
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
    source: Source = None,
    from_dbt: FromDbt = None,
    connection: Connection = None,
    timezone: Zone = "UTC",
) -> None:
    """Make a commented pipeline file for a kind of source, or one of the tables that a dbt source has."""
    from deployments.problem_display import shown_path
    from deployments.scaffolding import default_connection, new_pipeline
    from tasks.definitions.project import PLATFORMS_FOLDER, find_project

    if from_dbt is not None:
        source = _pipeline_from_dbt(name, client_name, from_dbt, source, connection)
    elif source is None:
        raise typer.BadParameter("say where its data comes from", param_hint="--source or --from-dbt")
    else:
        written = new_pipeline(
            find_project(), name, client=client_name, source=source, connection=connection, timezone=timezone
        )
        for path in written:
            print(f"wrote {shown_path(path)}")
    used = connection or default_connection(client_name, source)
    print(f"Next: say what `{used}` means in each file of {PLATFORMS_FOLDER}, then run `penstock validate`.")


def _pipeline_from_dbt(name: str, client: str, dbt_source: str, source: str | None, connection: str | None) -> str:
    """Writes the file, prints what is left to decide, and returns its kind of source."""
    from deployments.dbt_scaffolding import new_pipeline_from_dbt
    from deployments.problem_display import shown_path
    from penstock.naming import dbt_source as generated_source
    from tasks.definitions.project import find_project

    made = new_pipeline_from_dbt(find_project(), name, dbt_source, client=client, source=source, connection=connection)
    print(f"wrote {shown_path(made.path)}")
    if made.undecided:
        print(f"Say there what these datasets read, which dbt does not know: {', '.join(made.undecided)}.")
    print("Choose windows, load strategies and a schedule: each dataset is read whole until you do.")
    generated = generated_source(client, made.kind)
    print(f"`penstock compile` makes the dbt source {generated} of it: let models name it, and delete {dbt_source}.")
    return made.kind
