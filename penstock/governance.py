"""Who answers for data, how sensitive it is, how long it is kept, and which of its columns are about people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from penstock.artifacts import METADATA_COLUMNS
from penstock.findings import Finding
from penstock.naming import standardise_column
from penstock.spec import Spec

Classification = Literal["public", "internal", "confidential", "restricted"]
CLASSIFICATIONS: tuple[str, ...] = get_args(Classification)
"""From what everybody may see to what few may."""

_Line = Annotated[str, StringConstraints(pattern=r"^[^{}\n]+$", max_length=200)]
_EMAIL = r"^[^@\s{}]+@[^@\s{}]+$"


class OwnerSpec(Spec):
    """Whom to ask."""

    name: _Line = Field(description="A team or a person.")
    email: Annotated[str, StringConstraints(pattern=_EMAIL, max_length=200)] | None = None


class GovernanceSpec(Spec):
    """What holds for all that a file describes; a dataset's own keys win."""

    owner: OwnerSpec | None = Field(default=None, description="Whom to ask about the data.")
    classification: Classification | None = Field(
        default=None, description="How sensitive the data is; on a platform, the most sensitive data that may be there."
    )
    retention_days: int | None = Field(
        default=None, ge=1, description="How long rows may be kept; on a platform, the longest for any of them."
    )


class DatasetGovernance(GovernanceSpec):
    """What holds for one dataset."""

    pii: tuple[str, ...] = Field(
        default=(), description="Bronze columns about people; staging models hash them or leave them out."
    )

    def over(self, shared: GovernanceSpec | None) -> DatasetGovernance:
        """Returns the dataset's governance, with the pipeline's where it says nothing itself."""
        inherited = {} if shared is None else {name: getattr(shared, name) for name in GovernanceSpec.model_fields}
        own = {name: getattr(self, name) for name in GovernanceSpec.model_fields}
        return self.model_copy(
            update={name: inherited.get(name) if value is None else value for name, value in own.items()}
        )


def is_too_sensitive(data: Classification | None, place: Classification | None) -> bool:
    """Tells whether data is classified above what may be in a place; where either says nothing, it is not."""
    return data is not None and place is not None and CLASSIFICATIONS.index(data) > CLASSIFICATIONS.index(place)


def check_governance(governance: DatasetGovernance) -> Iterator[Finding]:
    """Yields what a dataset's governance says wrongly; places begin at the dataset.

    Args:
        governance: The dataset's own, over the pipeline's.
    """
    counted = Counter(governance.pii)
    for index, column in enumerate(governance.pii):
        where = ("governance", "pii", index)
        if counted[column] > 1:
            yield Finding(where, f"`{column}` is given twice", "Keep one of them.")
            counted[column] = 0
        elif column in METADATA_COLUMNS:
            yield Finding(where, f"`{column}` is a column that Penstock adds, about no person", "Take it out.")
        elif column != standardise_column(column):
            yield Finding(
                where,
                f"`{column}` is not how bronze names a column",
                "Write it as it is in the warehouse.",
                suggestion=standardise_column(column),
            )
    if governance.pii and governance.classification == "public":
        yield Finding(
            ("governance", "pii"),
            "data about people is classified as `public`",
            "Set `classification` to what it is, or take the columns out of `pii`.",
        )
