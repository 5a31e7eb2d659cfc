"""dbt Cloud's Administrative API v2: the calls that a build needs, and what its refusals mean.

Paths keep their slash at the end: dbt Cloud redirects without it, and a redirected POST arrives as a GET.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import msgspec

from penstock.connections import BearerAuth, DbtCloudConnection
from penstock.errors import PenstockError, RejectedError
from tasks.dbt_runner.cloud.answers import CloudAccount, CloudJobInfo, CloudRun, Envelope
from tasks.sources.http.client import HttpClient, Reader
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.policy import STANDARD, SYSTEM_CLOCK, Clock, RetryPolicy
from tasks.sources.http.request import HttpRequest, HttpSettings

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

CONNECTION_NAME = "dbt"
_TIMEOUT_SECONDS = 30.0
_ONCE = RetryPolicy(attempts=1)
# The largest page of a list that dbt Cloud gives.
_NEWEST_RUNS = 100
_ASKED_ONE_BY_ONE = 10
_REFUSALS: dict[int, tuple[str, str]] = {
    400: (
        "dbt Cloud refused the run's settings",
        "Check the selection, and `target`, `schema_override` and `threads` under `dbt` in the platform file.",
    ),
    401: (
        "dbt Cloud did not accept the token",
        "Renew the token of the dbt Cloud connection; at another region's `base_url` it is not known.",
    ),
    402: ("dbt Cloud does not allow this on the account's plan", "Ask the owner of the dbt Cloud account."),
    403: (
        "the dbt Cloud token lacks a right",
        "Give it the permission set Job Admin on the job's project; check `account_id`, too.",
    ),
    404: (
        "dbt Cloud has no such account, job or run",
        "Check `job_id` under `dbt`, and `account_id` and `base_url` of its connection.",
    ),
}


class CloudApi:
    """Asks one account's API.

    Args:
        connection: The account.
        policy: When what only reads, and what may be repeated, is asked again.
        timeout_seconds: How long an answer may take.
    """

    def __init__(
        self,
        connection: DbtCloudConnection,
        *,
        policy: RetryPolicy = STANDARD,
        clock: Clock = SYSTEM_CLOCK,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        settings = HttpSettings(
            connection_name=CONNECTION_NAME,
            base_url=f"{connection.base_url.rstrip('/')}/api/v2/accounts/{connection.account_id}",
            auth=BearerAuth(kind="bearer", token=connection.token),
            timeout_seconds=min(timeout_seconds, _TIMEOUT_SECONDS),
        )
        self._patient = HttpClient(settings, policy=policy, clock=clock)
        self._once = HttpClient(settings, policy=_ONCE, clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._patient.__exit__(*error)
        self._once.__exit__(*error)

    def raise_if_locked(self, refused: RejectedError | None = None) -> None:
        """Looks whether the account is suspended, as far as the token may see it.

        Args:
            refused: What is explained by it.

        Raises:
            RejectedError: It is.
        """
        try:
            account = self._get("/", "the account", CloudAccount)
        except PenstockError:
            return
        if account.is_locked:
            raise RejectedError(
                "the dbt Cloud account is locked",
                guidance="Its owner finds the reason under Account settings, Billing; nothing runs until then.",
                account=account.id,
            ) from refused

    def job(self, job_id: int) -> CloudJobInfo:
        """Returns a job.

        Raises:
            RejectedError: There is no such job, or dbt Cloud runs it no longer.
        """
        try:
            job = self._get(f"/jobs/{job_id}/", "the job", CloudJobInfo)
        except RejectedError as error:
            self.raise_if_locked(error)
            raise
        if job.is_deleted:
            raise RejectedError("the job was deleted in dbt Cloud", guidance="Correct `dbt.job_id`.", job=job_id)
        if job.deactivated:
            raise RejectedError(
                "the job is deactivated in dbt Cloud",
                guidance="Look at why its runs failed, then activate it again in the job's settings.",
                job=job_id,
            )
        return job

    def trigger(self, job_id: int, settings: Mapping[str, Any]) -> CloudRun:
        """Starts a run, asking once: a request without an answer may have started one."""
        request = HttpRequest(f"/jobs/{job_id}/run/", "triggering the job", method="POST", body=dict(settings))
        try:
            return self._fetch(self._once, request, _data(CloudRun))
        except RejectedError as error:
            self.raise_if_locked(error)
            raise

    def runs_with(self, cause: str, job_id: int) -> list[CloudRun]:
        """Returns the newest runs of a job that were triggered with a cause, the newest first."""
        asked = {"job_definition_id": job_id, "order_by": "-created_at", "limit": _NEWEST_RUNS}
        runs = self._get("/runs/", "the job's runs", list[CloudRun], **asked, include_related="trigger")
        if any(run.trigger is None for run in runs):
            # A list without triggers, which the API's description leaves open.
            runs = [self.run(run.id, related="trigger") for run in runs[:_ASKED_ONE_BY_ONE]]
        return [run for run in runs if run.trigger is not None and run.trigger.cause == cause]

    def run(self, run_id: int, *, related: Literal["run_steps", "trigger"] | None = None) -> CloudRun:
        """Returns a run; its steps bring the newest thousand lines of their logs along."""
        parameters = {"include_related": related} if related else {}
        return self._get(f"/runs/{run_id}/", "the run", CloudRun, **parameters)

    def cancel(self, run_id: int) -> None:
        """Cancels a run."""
        request = HttpRequest(f"/runs/{run_id}/cancel/", "cancelling the run", method="POST", body={})
        self._fetch(self._patient, request, lambda _answer: None)

    def retry(self, run_id: int) -> CloudRun:
        """Lets dbt Cloud repeat a failed run from the step that failed; returns the new run."""
        request = HttpRequest(f"/runs/{run_id}/retry/", "retrying the run", method="POST", body={})
        return self._fetch(self._once, request, _data(CloudRun))

    def artifact(self, run_id: int, name: str, step: int | None) -> bytes | None:
        """Returns a file that dbt wrote in a step (the last by default), or None where it wrote none."""
        parameters = {} if step is None else {"step": step}
        request = HttpRequest(f"/runs/{run_id}/artifacts/{name}", f"artifact {name}", parameters=parameters)
        try:
            return self._fetch(self._patient, request, lambda answer: answer.read())
        except RejectedError as error:
            if error.facts.get("status") == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _get(self, path: str, endpoint: str, kind: type[T], **parameters: Any) -> T:
        return self._fetch(self._patient, HttpRequest(path, endpoint, parameters=parameters), _data(kind))

    def _fetch(self, client: HttpClient, request: HttpRequest, read: Reader[T]) -> T:
        with _in_words_of_dbt_cloud():
            return client.fetch(request, read)


@contextmanager
def _in_words_of_dbt_cloud() -> Iterator[None]:
    """Says what a refusal means here: the HTTP client's guidance is about datasets."""
    try:
        yield
    except RejectedError as error:
        status = error.facts.get("status")
        if status not in _REFUSALS:
            raise
        message, guidance = _REFUSALS[int(status or 0)]
        raise RejectedError(message, guidance=guidance, **error.facts) from error


def _data(kind: type[T]) -> Reader[T]:
    """Returns a reader of what is in an answer's envelope."""

    def read(answer: httpx.Response) -> T:
        try:
            envelope = msgspec.json.decode(answer.read(), type=Envelope[kind])  # type: ignore[valid-type]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # Without the cause, which may hold a part of the answer.
            envelope = None
        if envelope is None or (envelope.status.is_success and envelope.data is None):
            raise UnreadableBodyError(
                "dbt Cloud's answer is not one of its API", guidance="Check `base_url` of the dbt Cloud connection."
            )
        if not envelope.status.is_success:
            raise RejectedError("dbt Cloud refused the request", guidance="Look at the job in dbt Cloud.")
        found: T = envelope.data
        return found

    return read
