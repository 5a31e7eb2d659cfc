"""What a Prefect API's refusals become, the same for everything that asks it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from blocks.prefect_failures import asking_prefect
from penstock.errors import ConfigurationError, PenstockError, RejectedError, TransientError

SECRET = "never-to-be-seen"


def refused(status: int, answer: Any) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", f"http://127.0.0.1:4200/api/deployments/?token={SECRET}", json={"secret": SECRET})
    return httpx.HTTPStatusError(SECRET, request=request, response=httpx.Response(status, json=answer))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ConfigurationError), (401, RejectedError), (403, RejectedError), (408, TransientError),
        (409, ConfigurationError), (422, ConfigurationError), (425, TransientError), (429, TransientError),
        (500, TransientError), (502, TransientError), (503, TransientError), (504, TransientError),
    ],
)  # fmt: skip
@pytest.mark.parametrize("quote_answer", [True, False])
def test_a_refusal_is_of_the_kind_that_says_what_to_do(
    status: int, kind: type[PenstockError], quote_answer: bool
) -> None:
    with pytest.raises(PenstockError) as caught, asking_prefect(quote_answer=quote_answer, block="lake"):
        raise refused(status, {"detail": "why"})
    assert type(caught.value) is kind
    assert caught.value.block == "lake"
    assert ("why" in str(caught.value)) == quote_answer
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ({"detail": [{"loc": ["body", "name"], "msg": "is empty", "input": SECRET}]}, "body.name: is empty"),
        ({"exception_detail": [{"loc": ["body"], "msg": "is no object", "input": SECRET}]}, "body: is no object"),
        ({"detail": "x" * 500}, "x" * 300),
        ([SECRET], None),
        ({"detail": {"input": SECRET}}, None),
    ],
)
def test_an_answer_is_quoted_without_what_it_repeats_of_the_request(answer: Any, seen: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught, asking_prefect(quote_answer=True):
        raise refused(422, answer)
    assert caught.value.context().get("answer") == seen
    assert caught.value.request == "POST /api/deployments/"
    assert SECRET not in str(caught.value)


def test_an_api_that_cannot_be_reached_is_worth_another_try() -> None:
    with pytest.raises(TransientError, match="cannot be reached") as caught, asking_prefect():
        raise httpx.ConnectError(SECRET)
    assert caught.value.reason == "ConnectError"
    assert SECRET not in str(caught.value)
