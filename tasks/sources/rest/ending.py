"""Whether a walk that ended after one page ended where the API does, or because `paging` looks in the wrong place.

An API may leave the cursor out of its last answer, so a place that is not there is no proof. What the answer says
elsewhere is: another field that names a next page, or that more pages follow. A null or an empty text in the place is
the API's own word for the end, and so is a total that agrees.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from penstock.errors import DataError
from penstock.sources.rest import CursorPaging, LinkHeaderPaging, NextUrlPaging, NoPaging
from tasks.sources.rest.page import Endpoint, Page

_FORWARD = re.compile(r"next|cursor|continuation|scroll|page_?token", re.IGNORECASE)
_BACK = re.compile(r"prev|first|last|self|current|start|begin|before", re.IGNORECASE)
_MORE = re.compile(r"more", re.IGNORECASE)
_NEAR = 0.75
# Sizes of pages are round; a page of another size is a last one.
_ROUND = 10


def check_only_page(page: Page, endpoint: Endpoint) -> str | None:
    """Checks the first page of a walk that no second one follows.

    Returns:
        What a person should look at, where the answer leaves it open whether there are more pages; else None.

    Raises:
        DataError: The answer says that more pages follow, but not where `paging` looks.
    """
    place = _place_looked_at(endpoint)
    if page.total is not None or not page.records or place is None or _is_there(page, endpoint):
        return None
    signs = _signs_of_more(page, endpoint)
    if isinstance(endpoint.paging, NoPaging):
        return f"the only page that was asked for says that more follow ({signs[0]}): see `paging`" if signs else None
    proof = next((sign for sign in signs if _is_proof(sign, place, page)), None)
    if proof is not None:
        raise DataError(
            "the only page says that more follow, but not where the dataset's `paging` looks",
            guidance=f"Did you mean {proof}?",
            looked_at=place,
            found=proof,
            rows=len(page.records),
        )
    if signs or _looks_full(len(page.records), endpoint):
        return (
            f"the only page had {len(page.records)} records and nothing at {place}; "
            "where there are more, correct `paging`; else state `total`, which tells the two apart"
        )
    return None


def _place_looked_at(endpoint: Endpoint) -> str | None:
    """Returns where a next page would be named; None where pages are numbered or told by their records."""
    paging = endpoint.paging
    match paging:
        case NextUrlPaging():
            return paging.path
        case CursorPaging():
            return paging.path or paging.header
        case LinkHeaderPaging():
            return "link"
        case NoPaging():
            return ""
        case _:
            return None


def _is_there(page: Page, endpoint: Endpoint) -> bool:
    paging = endpoint.paging
    if isinstance(paging, LinkHeaderPaging):
        return bool(page.links)
    if isinstance(paging, CursorPaging) and paging.header is not None:
        return paging.header in page.headers
    path = getattr(paging, "path", None)
    return path is not None and page.body is not None and page.body.has(path)


def _signs_of_more(page: Page, endpoint: Endpoint) -> list[str]:
    """Returns the fields and headers of an answer that name a next page or say that one follows."""
    fields: dict[str, Any] = dict(page.body.scalars()) if page.body is not None else {}
    if not isinstance(endpoint.paging, LinkHeaderPaging) and any("next" in link.lower() for link in page.links):
        fields["link"] = "next"
    fields |= {name: value for name, value in page.headers.items() if _FORWARD.search(name)}
    return [path for path, value in fields.items() if _names_next(path, value) or _says_more(path, value)]


def _names_next(path: str, value: Any) -> bool:
    has_value = isinstance(value, str | int) and not isinstance(value, bool) and bool(value)
    return has_value and path != "" and (path == "link" or _FORWARD.search(path) is not None) and not _BACK.search(path)


def _says_more(path: str, value: Any) -> bool:
    return value is True and _MORE.search(path.rpartition(".")[2]) is not None


def _is_proof(sign: str, place: str, page: Page) -> bool:
    """Returns whether a sign is the place that was meant, or a plain word of the API that more pages follow."""
    if page.body is not None and page.body.has(sign) and page.body.value(sign) is True:
        return True
    ends = sign.rpartition(".")[2].lower(), place.rpartition(".")[2].lower()
    return max(_likeness(*ends), _likeness(sign.lower(), place.lower())) >= _NEAR


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _looks_full(rows: int, endpoint: Endpoint) -> bool:
    if isinstance(endpoint.paging, LinkHeaderPaging):  # its name cannot be misspelt
        return False
    size = getattr(endpoint.paging, "size", None)
    return rows == size if size is not None else rows % _ROUND == 0
