from __future__ import annotations

import pytest
from pydantic import ValidationError

from penstock.governance import (
    DatasetGovernance,
    GovernanceSpec,
    OwnerSpec,
    check_governance,
    is_too_sensitive,
)

OWNER = OwnerSpec(name="Analytics", email="analytics@acme.example")


def test_a_datasets_own_words_win_and_the_rest_comes_from_the_pipeline() -> None:
    shared = GovernanceSpec(owner=OWNER, classification="internal", retention_days=30)
    own = DatasetGovernance(classification="restricted", pii=("email",))
    assert own.over(shared) == DatasetGovernance(
        owner=OWNER, classification="restricted", retention_days=30, pii=("email",)
    )
    assert own.over(None) == own


@pytest.mark.parametrize(
    ("data", "place", "expected"),
    [
        ("restricted", "confidential", True),
        ("internal", "public", True),
        ("confidential", "confidential", False),
        ("public", "restricted", False),
        (None, "public", False),
        ("restricted", None, False),
    ],
)
def test_data_may_be_where_data_as_sensitive_may_be(data: str | None, place: str | None, expected: bool) -> None:
    assert is_too_sensitive(data, place) is expected  # type: ignore[arg-type]


def test_columns_about_people_are_named_as_bronze_names_them() -> None:
    found = list(check_governance(DatasetGovernance(pii=("email", "_loaded_at", "firstName", "email"))))
    assert [(one.where[-1], one.suggestion) for one in found] == [(0, None), (1, None), (2, "first_name")]
    assert "given twice" in found[0].message
    assert list(check_governance(DatasetGovernance(pii=("email", "first_name")))) == []


def test_data_about_people_is_not_public() -> None:
    (found,) = check_governance(DatasetGovernance(pii=("email",), classification="public"))
    assert found.where == ("governance", "pii")
    assert list(check_governance(DatasetGovernance(classification="public"))) == []


@pytest.mark.parametrize(
    "said",
    [
        {"owner": {"name": "{{ env_var('X') }}"}},
        {"owner": {"name": "A", "email": "nobody"}},
        {"retention_days": 0},
        {"classification": "secret"},
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GovernanceSpec.model_validate(said)
