from __future__ import annotations

import pytest

from penstock.wording import counted


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_a_number_is_said_with_its_noun(count: int, text: str) -> None:
    assert counted(count, "row") == text
