from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.feeds import AiToolDailyFeed, check_feed

FEED: dict[str, Any] = {"model": "ai_tool_daily", "tool": "quill", "day": "day", "engineer": "email"}


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"cost": "price"}, "`cost` and `cost_unit` belong together"),
        ({"tokens": "used", "cost_unit": "cents"}, "`cost` and `cost_unit` belong together"),
        ({"accepted_suggestions": "taken"}, "nothing to count"),
        ({"tokens": "used' }} --"}, "String should match pattern"),
        ({"tokens": "used", "tool": "Quill!"}, "String should match pattern"),
        ({"cost": "price", "cost_unit": "yen"}, "'cents' or 'dollars'"),
    ],
)
def test_a_feed_that_cannot_be_read_is_refused(keys: dict[str, str], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        AiToolDailyFeed.model_validate({**FEED, **keys})


def test_a_column_is_named_as_bronze_names_it() -> None:
    feed = AiToolDailyFeed.model_validate({**FEED, "engineer": "user", "requests": "calls"})
    (finding,) = check_feed(feed)
    assert (finding.where, finding.suggestion) == (("feeds", "engineer"), "user_")
    assert list(check_feed(AiToolDailyFeed.model_validate({**FEED, "cost": "price", "cost_unit": "cents"}))) == []
    assert list(check_feed(None)) == []
