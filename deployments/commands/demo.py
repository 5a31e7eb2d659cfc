"""`penstock demo`: the main job against the sandbox, on the embedded stack."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import At

Seed = Annotated[int, typer.Option(help="Another seed is another contact centre.")]


def demo(at: At = None, seed: Seed = 7) -> None:
    """Run Warby Parker's pipeline against a sandbox Gladly, and show the gold tables."""
    from deployments.demonstration import demonstrate

    raise typer.Exit(0 if demonstrate(at=at, seed=seed) else 1)
