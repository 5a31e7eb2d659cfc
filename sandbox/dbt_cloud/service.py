"""The HTTP face of the emulated dbt Cloud: `/dbt_cloud/api/v2/accounts/1/...`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.context import DETAIL_KEY, SandboxContext, Service
from sandbox.dbt_cloud.problems import RefusedError, describe_error, write_answer, write_error
from sandbox.dbt_cloud.runs import ENDED, ERROR, Run, RunBook
from sandbox.dbt_cloud.settings import (
    DBT_CLOUD_ACCOUNT_ID,
    DBT_CLOUD_READ_TOKEN,
    DBT_CLOUD_TOKEN,
    JobSettings,
)
from sandbox.dbt_cloud.views import account_view, job_view, run_view, step_view
from sandbox.rate_limit import RateLimiter

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

Answer = Callable[["Request"], Awaitable[bytes]]

_BASE = "/api/v2/accounts/{account:int}"
_LARGEST_PAGE = 100
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_OVERRIDES: dict[str, type] = {
    "cause": str,
    "schema_override": str,
    "target_name_override": str,
    "threads_override": int,
    "steps_override": list,
}


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/dbt_cloud`."""
    service = _DbtCloud(context)
    run = "/runs/{run:int}"
    answers: dict[str, dict[str, Answer]] = {
        "/": {"GET": service.account},
        "/jobs/{job:int}/": {"GET": service.job},
        "/jobs/{job:int}/run/": {"POST": service.trigger},
        "/jobs/{job:int}/rerun/": {"POST": service.rerun},
        "/jobs/{job:int}/artifacts/{name:path}": {"GET": service.job_artifact},
        "/runs/": {"GET": service.runs},
        f"{run}/": {"GET": service.run},
        f"{run}/cancel/": {"POST": service.cancel},
        f"{run}/retry/": {"GET": service.retry_plan, "POST": service.retry},
        f"{run}/artifacts/": {"GET": service.artifacts},
        f"{run}/artifacts/{{name:path}}": {"GET": service.artifact},
        "/steps/{step:int}/": {"GET": service.step},
    }
    return [
        *(Route(_BASE + path, service.guarded(by_method), methods=_METHODS) for path, by_method in answers.items()),
        Route("/{path:path}", service.unknown, methods=_METHODS),
    ]


class _DbtCloud:
    def __init__(self, context: SandboxContext) -> None:
        self._settings = context.settings.dbt_cloud
        self._book = RunBook(self._settings, context.clock.now)
        self._limiter = RateLimiter(self._settings.requests_per_minute, per_seconds=60)
        self._missing_artifacts = self._settings.late_artifacts
        context.on_reset(self._reset)

    def guarded(self, by_method: Mapping[str, Answer]) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint behind the token, the account and the rate limit."""

        async def endpoint(request: Request) -> Response:
            answer = by_method.get(request.method)
            if answer is None:
                detail = {"detail": f'Method "{request.method}" not allowed.'}
                return Response(orjson.dumps(detail), 405, media_type="application/json")
            try:
                self._let_in(request)
                return Response(await answer(request), media_type="application/json")
            except RefusedError as error:
                return Response(write_error(error.status, error.text), error.status, media_type="application/json")

        return endpoint

    async def unknown(self, request: Request) -> Response:
        """Redirects to the path with a slash, as a GET, or knows nothing of it."""
        path = request.scope["path"]
        if not path.endswith("/"):
            return RedirectResponse(f"{path}/", 301)
        return Response(write_error(404), 404, media_type="application/json")

    async def account(self, _request: Request) -> bytes:
        """Answers the account."""
        return write_answer(account_view(self._settings))

    async def job(self, request: Request) -> bytes:
        """Answers a job."""
        return write_answer(job_view(*self._job_of(request)))

    async def trigger(self, request: Request) -> bytes:
        """Puts a run into the queue."""
        job_id, job = self._job_of(request)
        if self._settings.is_locked:
            raise RefusedError(403, "This account is locked")
        if job.deactivated or job.state != 1:
            raise RefusedError(400, "The job is not active")
        asked = await _read_asked(request)
        request.scope[DETAIL_KEY] = "; ".join(asked.get("steps_override", ()))
        return self._answer(self._book.trigger(job_id, asked), request)

    async def rerun(self, request: Request) -> bytes:
        """Goes on from the failure of the job's last run, or starts a new one."""
        job_id, _ = self._job_of(request)
        last = next((run for run in self._newest() if run.job_id == job_id), None)
        has_failed = last is not None and last.status == ERROR
        run = self._book.retry(last) if last and has_failed else self._book.trigger(job_id, {"cause": "Rerun"})
        return self._answer(run, request)

    async def runs(self, request: Request) -> bytes:
        """Answers a page of runs."""
        query = request.query_params
        limit, offset = int(query.get("limit", _LARGEST_PAGE)), int(query.get("offset", 0))
        if not 1 <= limit <= _LARGEST_PAGE:
            raise RefusedError(400, f"limit is at most {_LARGEST_PAGE}")
        found = self._newest() if query.get("order_by", "id").startswith("-") else self._newest()[::-1]
        if "job_definition_id" in query:
            found = [run for run in found if run.job_id == int(query["job_definition_id"])]
        if "status__in" in query:
            found = [run for run in found if run.status in json.loads(query["status__in"])]
        page = [self._view(run, request) for run in found[offset : offset + limit]]
        return write_answer(page, extra={"pagination": {"count": len(page), "total_count": len(found)}})

    async def run(self, request: Request) -> bytes:
        """Answers a run, which goes on between two questions."""
        run = self._run_of(request)
        self._book.poll(run)
        return self._answer(run, request)

    async def cancel(self, request: Request) -> bytes:
        """Cancels a run."""
        run = self._run_of(request)
        self._book.cancel(run)
        return self._answer(run, request)

    async def retry(self, request: Request) -> bytes:
        """Goes on from where a run has failed, in a new run."""
        run = self._run_of(request)
        if run.status != ERROR:
            raise RefusedError(400, "Only a failed run can be retried")
        return self._answer(self._book.retry(run), request)

    async def retry_plan(self, request: Request) -> bytes:
        """Answers what a retry would do."""
        run = self._run_of(request)
        failed = run.failed_step
        return write_answer({"failed_step": step_view(failed, run) if failed else None, "skipped_steps": []})

    async def artifacts(self, request: Request) -> bytes:
        """Answers the names of a run's files."""
        return write_answer(sorted(self._files_of(self._run_of(request), request)))

    async def artifact(self, request: Request) -> bytes:
        """Answers a file, without an envelope."""
        return self._file(self._run_of(request), request)

    async def job_artifact(self, request: Request) -> bytes:
        """Answers a file of the job's newest run that has it."""
        job_id, _ = self._job_of(request)
        for run in self._newest():
            if run.job_id == job_id and run.status in ENDED and request.path_params["name"] in self._last_files(run):
                return self._file(run, request)
        raise RefusedError(404)

    async def step(self, request: Request) -> bytes:
        """Answers a step."""
        run_id, index = divmod(request.path_params["step"], 100)
        run = self._book.runs.get(run_id)
        found = next((step for step in run.steps if step.index == index), None) if run else None
        if run is None or found is None:
            raise RefusedError(404)
        return write_answer(step_view(found, run))

    def _let_in(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme not in {"Token", "Bearer"} or token not in {DBT_CLOUD_TOKEN, DBT_CLOUD_READ_TOKEN}:
            raise RefusedError(401)
        if request.path_params["account"] != DBT_CLOUD_ACCOUNT_ID:
            raise RefusedError(404)
        if not self._limiter.try_acquire():
            raise RefusedError(429)
        if request.method != "GET" and token == DBT_CLOUD_READ_TOKEN:
            raise RefusedError(403)

    def _job_of(self, request: Request) -> tuple[int, JobSettings]:
        job_id = request.path_params["job"]
        if job_id not in self._settings.jobs:
            raise RefusedError(404)
        return job_id, self._settings.jobs[job_id]

    def _run_of(self, request: Request) -> Run:
        run = self._book.runs.get(request.path_params["run"])
        if run is None:
            raise RefusedError(404)
        return run

    def _newest(self) -> list[Run]:
        return list(self._book.runs.values())[::-1]

    def _file(self, run: Run, request: Request) -> bytes:
        files = self._files_of(run, request)
        if request.path_params["name"] not in files:
            raise RefusedError(404)
        return files[request.path_params["name"]]

    def _files_of(self, run: Run, request: Request) -> Mapping[str, bytes]:
        if run.status not in ENDED:
            raise RefusedError(404)
        if self._missing_artifacts > 0:
            self._missing_artifacts -= 1
            raise RefusedError(404)
        asked = request.query_params.get("step")
        if asked is None:
            return self._last_files(run)
        return next((step.artifacts for step in run.steps if str(step.index) == asked), {})

    def _last_files(self, run: Run) -> Mapping[str, bytes]:
        return run.steps[-1].artifacts if run.steps else {}

    def _view(self, run: Run, request: Request) -> dict[str, Any]:
        related = request.query_params.get("include_related", "").split(",")
        return run_view(run, related, str(request.base_url).rstrip("/"))

    def _answer(self, run: Run, request: Request) -> bytes:
        return write_answer(self._view(run, request))

    def _reset(self) -> None:
        self._book.reset()
        self._limiter.reset()
        self._missing_artifacts = self._settings.late_artifacts


async def _read_asked(request: Request) -> dict[str, Any]:
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise RefusedError(400, "The body is no JSON") from error
    if not isinstance(asked, dict) or "cause" not in asked:
        raise RefusedError(400, "cause is required")
    for name, kind in _OVERRIDES.items():
        if name in asked and not isinstance(asked[name], kind):
            raise RefusedError(400, f"{name} has the wrong type")
    return asked


DBT_CLOUD = Service("dbt_cloud", "/dbt_cloud", build_routes, describe_error)
