"""What a Prefect API's refusals mean: one table, so that everything that asks it says the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from penstock.errors import ConfigurationError, PenstockError, RejectedError, TransientError

if TYPE_CHECKING:
    import httpx

_CREDENTIALS = "Set PREFECT_API_KEY or PREFECT_API_AUTH_STRING to credentials of the API at PREFECT_API_URL."
_RIGHTS = "Give the API key a role that may read and write blocks, deployments and runs in this workspace."
_VERSIONS = "Its version may differ from this one's: compare `prefect version` on both sides."
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_LONGEST_ANSWER = 300
_LATER = "Check that the Prefect server is up and that PREFECT_API_URL leads to it, then try again."


@contextmanager
def asking_prefect(*, quote_answer: bool = False, **facts: Any) -> Iterator[None]:
    """Turns what goes wrong between here and the Prefect API into the tree's errors.

    They are raised without their cause: Prefect's errors quote the answer, which may quote what was sent. An object
    that is not there (`ObjectNotFound`) is the caller's to explain.

    Args:
        quote_answer: Whether errors say the request and why it was refused; only where no secret is sent.
        facts: What was asked for, for the error.
    """
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        said = _quoted(error) if quote_answer else {}
        raise _refusal(error.response.status_code, {**facts, **said}) from None
    except httpx.TransportError as error:
        raise _unreachable(type(error).__name__, facts) from None
    except RuntimeError as error:
        # Prefect 3.8.8 checks the API's version first, and says with a RuntimeError that it could not.
        if not str(error).startswith(("Failed to reach API", "Found incompatible versions")):
            raise
        raise _unreachable(type(error.__cause__ or error).__name__, facts) from None


def _refusal(status: int, facts: dict[str, Any]) -> PenstockError:
    if status == HTTPStatus.UNAUTHORIZED:
        return RejectedError("the Prefect API did not accept the credentials", guidance=_CREDENTIALS, **facts)
    if status == HTTPStatus.FORBIDDEN:
        return RejectedError("the Prefect API's credentials lack a right", guidance=_RIGHTS, **facts)
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError("the Prefect API failed", guidance=_LATER, status=status, **facts)
    guidance = "The answer says why." if facts.get("answer") else _VERSIONS
    return ConfigurationError("the Prefect API refused the request", guidance=guidance, status=status, **facts)


def _quoted(error: httpx.HTTPStatusError) -> dict[str, str]:
    """Returns the request and the reason in an answer, without what that repeats of the request."""
    request = f"{error.request.method} {error.request.url.path}"
    try:
        answer = error.response.json()
    except ValueError:
        return {"request": request}
    detail = answer.get("detail") or answer.get("exception_detail") if isinstance(answer, dict) else None
    if isinstance(detail, list):
        detail = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in detail if "msg" in one)
    return {"request": request, "answer": detail[:_LONGEST_ANSWER]} if isinstance(detail, str) else {"request": request}


def _unreachable(reason: str, facts: dict[str, Any]) -> TransientError:
    return TransientError("the Prefect API cannot be reached", guidance=_LATER, reason=reason, **facts)
