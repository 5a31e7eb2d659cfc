"""The emulated dbt Cloud account: its tokens, jobs and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.dbt_cloud.project import CloudProject
from sandbox.dbt_cloud.small_dag import SmallDag

DBT_CLOUD_ACCOUNT_ID = 1
DBT_CLOUD_JOB_ID = 44
DBT_CLOUD_TOKEN = "dbt-cloud-sandbox-token"  # noqa: S105 - opens nothing but the sandbox
DBT_CLOUD_READ_TOKEN = "dbt-cloud-sandbox-read-token"  # noqa: S105 - opens nothing but the sandbox


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """A job.

    Args:
        state: 1 active, 2 deleted.
        deactivated: As dbt Cloud does with a job whose runs failed too often.
        generates_docs: Whether each run ends with `dbt docs generate`.
    """

    name: str = "silver and gold"
    state: int = 1
    deactivated: bool = False
    generates_docs: bool = False


@dataclass(frozen=True, kw_only=True)
class DbtCloudSettings:
    """An account, and how its runs go.

    Args:
        project: What runs build; `SmallDag` or anything that answers a dbt command.
        jobs: By id.
        is_locked: Whether the account is suspended.
        run_slots: How many runs go at once; the others are queued, and so is a second run of a job.
        polls_in_state: How often a run is asked for before it moves on from queued, starting and running.
        late_artifacts: How many requests for artifacts find none although their run has ended.
        requests_per_minute: Of the whole account (docs.getdbt.com, rate limits).
    """

    project: CloudProject = field(default_factory=SmallDag)
    jobs: Mapping[int, JobSettings] = field(default_factory=lambda: {DBT_CLOUD_JOB_ID: JobSettings()})
    is_locked: bool = False
    run_slots: int = 5
    polls_in_state: int = 1
    late_artifacts: int = 0
    requests_per_minute: int = 5_000
