"""An interrupted run ends soon, says nothing false, and the next one goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from sandbox.rest.collection import Collection
from sandbox.server import serve
from sandbox.settings import SandboxSettings

PIPELINE = """
source: {kind: rest, connection: slow-api}
window: {kind: full}
load_strategy: {kind: full_refresh}
datasets: [{name: things, path: /things, records: data}]
transform: {select: none}
"""


def test_an_interrupt_ends_a_run_that_waits_for_another_attempt(project: Any) -> None:
    with serve(SandboxSettings(collections={"things": Collection(records=[{"id": 1}])})) as sandbox:
        project.write_platform(f'slow-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}')
        project.write_pipeline("things", PIPELINE)
        # The folder of the lake cannot be made below a file: a passing error, for which the task waits.
        (project.root / "home").mkdir(exist_ok=True)
        run = [sys.executable, "-m", "deployments.cli", "run", "things"]
        waiting = (
            "import sys; from penstock.errors import TransientError; import tasks.sources.registry as registry;"
            "import tasks.extract; import tasks.retries\n"
            "tasks.retries.RETRY_DELAYS_SECONDS = (600, 600, 600)\n"
            "def down(*_): raise TransientError('the API is down')\n"
            "tasks.extract.extractor = lambda kind: down\n"
            "from deployments.cli import main; sys.argv[0:1] = ['penstock']; main()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", waiting, "run", "things"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "attempt 2 follows" in line:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)  # it would sit out ten minutes
        assert process.returncode != 0

        done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert project.query("select count(*) from acme_bronze.rest__things") == [(1,)]
