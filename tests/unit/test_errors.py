"""The error tree: what it is, what an error says, and that it crosses processes whole."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from penstock import errors
from penstock.errors import DataError, PenstockError, RateLimitedError, TransientError

EVERY_ERROR = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, PenstockError)]


def _drawn_tree() -> dict[str, str]:
    """Parent by class name, read from the drawing in the module's docstring."""
    parents: dict[str, str] = {}
    ancestors: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"(?P<indent>[\s│├└─]+)(?P<name>\w+Error)\b", line)
        if not found:
            continue
        depth = len(found["indent"])
        ancestors = [(above, name) for above, name in ancestors if above < depth]
        if ancestors:
            parents[found["name"]] = ancestors[-1][1]
        ancestors.append((depth, found["name"]))
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    real = {cls.__name__: cls.__base__.__name__ for cls in EVERY_ERROR if cls is not PenstockError and cls.__base__}
    assert len(real) == 8
    assert _drawn_tree() == real


@pytest.mark.parametrize("cls", EVERY_ERROR, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_comes_out_of_a_pickle_as_it_went_in(cls: type[PenstockError], protocol: int) -> None:
    error = cls("The source said no", guidance="Ask again.", status=503, url=None, store="lake")
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
    assert type(again) is cls
    assert str(again) == str(error) == "The source said no (status=503, store=lake). Ask again."
    assert (again.message, again.guidance, again.context()) == (error.message, error.guidance, error.context())
    assert again.status == 503


@pytest.mark.parametrize("cls", EVERY_ERROR, ids=lambda cls: cls.__name__)
def test_an_error_of_only_a_message_says_just_that(cls: type[PenstockError]) -> None:
    assert str(cls("Nothing was read")) == "Nothing was read"


def test_facts_are_attributes_and_context_and_cannot_be_changed_through_it() -> None:
    error = RateLimitedError("Too many requests", retry_after_seconds=2.5)
    error.context()["retry_after_seconds"] = 0
    assert error.retry_after_seconds == 2.5
    assert error.context() == {"retry_after_seconds": 2.5}


def test_an_unknown_fact_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="retry_after"):
        _ = TransientError("Away").retry_after


def test_a_fact_that_is_no_scalar_is_kept_as_its_text() -> None:
    error = DataError("Columns differ", columns=("a", "b"))
    assert error.columns == "('a', 'b')"
    assert pickle.loads(pickle.dumps(error)).columns == error.columns  # noqa: S301


def test_an_error_can_be_copied() -> None:
    error = DataError("Rows differ", guidance="Load again.", staged=3, landed=2)
    assert str(copy.deepcopy(error)) == str(copy.copy(error)) == str(error)


def test_the_cause_is_kept_but_not_printed_when_raised_from_a_drivers_error() -> None:
    cause = OSError("connection reset")
    with pytest.raises(TransientError) as caught:
        raise TransientError("The store did not answer") from cause
    assert caught.value.__cause__ is cause
    assert str(caught.value) == "The store did not answer"
