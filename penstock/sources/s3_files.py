"""A source of files that already exist: in an object store (a bucket, or a folder), or on an SFTP server."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.sources.tabular import TabularFiles
from penstock.spec import Spec
from penstock.window import Duration

DAY = re.compile(r"\{day(?::(?P<pattern>[^{}]*))?\}")
"""In a glob: each local day of the interval, as strftime writes it."""


class WaitSpec(Spec):
    """What a run does while a dataset's files have not come: it ends and is begun again later, until the deadline."""

    deadline: Duration = Field(
        description="How long after its scheduled time a run waits; then the dataset fails. Days have 24 hours here."
    )
    poll: Duration = Field(default="10m", description="How long after one look the next one follows.")
    minimum_files: int = Field(default=1, ge=1, description="How many files the batch has at least.")


class FilesDataset(TabularFiles, DatasetSpec):
    """The files whose keys match `glob`."""

    glob: str = Field(
        description="Keys, such as `drops/orders/*.csv.gz`; `**` crosses folders, and `{day:%Y-%m-%d}` is each local "
        "day of the interval."
    )
    select: Literal["new", "window", "all"] = Field(
        default="new",
        description="`new`: content the ledger has not seen; `window`: last modified in the interval; `all`.",
    )
    wait_for: WaitSpec | None = Field(default=None, description="Waits for files that come late. Default: no wait.")

    @property
    def is_dated(self) -> bool:
        """Whether the files' keys say of which day they are."""
        return DAY.search(self.glob) is not None

    @model_validator(mode="after")
    def _selects_what_it_can(self) -> FilesDataset:
        if self.is_dated and self.select != "all":
            raise ValueError("a `glob` with `{day:...}` says which files are of the interval: it needs `select: all`")
        if self.wait_for is not None and self.select == "window":
            raise ValueError(
                "files that come late were not modified in the interval: wait with `select: new`, or with the day in "
                "the `glob` and `select: all`"
            )
        return self


class FilesSource(SourceSpec):
    """Files in an object store, or on an SFTP server."""

    kind: Literal["s3_files"]
