from __future__ import annotations

import pytest

from tasks.sources.rest.links import next_link

NEXT = "https://api.example.com/items?page=2"


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>;rel="next"',
        f'<{NEXT}> ; rel = "next"',
        f'<{NEXT}>; REL="Next"',
        f'<{NEXT}>; rel="last next"',
        f'<https://api.example.com/items?page=1>; rel="prev", <{NEXT}>; rel="next"',
        f'<{NEXT}>; rel="next", <https://api.example.com/items?page=9>; rel="last"',
        f'<{NEXT}>; title="a, b; rel=\\"prev\\""; rel="next"',
        f'<{NEXT}>; foo; rel="next"',
        f'<{NEXT}>; rel="next"; rel="prev"',
    ],
)
def test_the_next_link_is_found_however_it_is_written(header: str) -> None:
    assert next_link([header]) == NEXT


@pytest.mark.parametrize(
    "header",
    [
        "",
        f'<{NEXT}>; rel="prev"',
        f'<{NEXT}>; rel="nextish"',
        f'<{NEXT}>; title="rel=next"',
        f'<{NEXT}>; rel="prev"; rel="next"',
        f'<{NEXT}>; rel="next"; anchor="#other"',
        f"<{NEXT}>",
        f'{NEXT}; rel="next"',
    ],
)
def test_what_is_no_next_link_is_not_taken_for_one(header: str) -> None:
    assert next_link([header]) is None


def test_an_address_may_hold_commas_and_semicolons() -> None:
    address = "https://api.example.com/items?ids=1,2,3;x&page=2"
    assert next_link([f'<{address}>; rel="next"']) == address


def test_several_header_fields_count_as_one() -> None:
    assert next_link(['</a>; rel="first"', '</b>; rel="next"']) == "/b"


def test_no_header_has_no_next_link() -> None:
    assert next_link([]) is None
