"""A Nobl9 source's pipeline file. Facts: Nobl9 SLO Status API v2."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.traits import WHOLE


class Nobl9Dataset(DatasetSpec):
    """Every SLO as it stands now; the API tells of no other time, so `_extracted_at` is the time of each state."""

    report: Literal["slos"] = Field(default="slos", description="Definition and status of each SLO and its objectives.")


class Nobl9Source(SourceSpec):
    """A Nobl9 organisation."""

    kind: Literal["nobl9"]


def nobl9_traits(_dataset: DatasetSpec) -> SourceTraits:
    """Returns a report's traits: the whole, as it stands."""
    return WHOLE
