"""dbt in a process of its own, which ends when the run that started it does, however that ended.

Started as `python -m tasks.dbt_runner.child <dbt's arguments>` with a pipe as standard input. The pipe closes with the
run, also when it is killed; without this, dbt would go on writing beside the run that starts in its place.
"""

from __future__ import annotations

import os
import sys
import threading

_ORPHANED = 70


def main() -> None:
    """Runs dbt with this process's arguments and exits as dbt does."""
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    from dbt.cli.main import cli

    sys.argv[0] = "dbt"
    cli()


def _end_with_the_run() -> None:
    while os.read(0, 1):
        pass
    os._exit(_ORPHANED)


if __name__ == "__main__":
    main()
