"""`penstock sandbox`: the emulated source APIs, in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.wording import counted

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")]
Seed = Annotated[int, typer.Option(help="Another seed is another world.")]
ClockTime = Annotated[
    str | None, typer.Option("--clock", help="Time at which the world stands still, such as 2026-03-20T12:00:00Z.")
]
Drops = Annotated[
    Path | None, typer.Option(help="Also write a vendor's files of the last two weeks into this folder, once.")
]


def sandbox(port: Port = 8765, seed: Seed = 7, clock: ClockTime = None, drops: Drops = None) -> None:
    """Serve emulated source APIs over generated data until Ctrl-C."""
    from sandbox.clock import Clock
    from sandbox.drops.filling import fill_drops
    from sandbox.drops.settings import DropsSettings
    from sandbox.server import run_forever
    from sandbox.settings import SandboxSettings

    settings = SandboxSettings(seed=seed, clock=Clock(clock), drops=DropsSettings(folder=drops))
    if drops is not None:
        print(f"Dropped {counted(fill_drops(settings), 'file')} into {drops}.", flush=True)
    run_forever(
        port,
        settings=settings,
        announce=lambda served: print(f"The sandbox serves at {served.url}; stop it with Ctrl-C.", flush=True),
    )
