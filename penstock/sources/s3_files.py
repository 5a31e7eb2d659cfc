"""A source of files that already exist in an object store (a bucket, or a folder)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.sources.tabular import TabularFiles


class FilesDataset(TabularFiles, DatasetSpec):
    """The files whose keys match `glob`."""

    glob: str = Field(description="Keys, such as `drops/orders/*.csv.gz`; `**` crosses folders.")
    select: Literal["new", "window", "all"] = Field(
        default="new",
        description="`new`: content the ledger has not seen; `window`: last modified in the interval; `all`.",
    )


class FilesSource(SourceSpec):
    """Files in an object store."""

    kind: Literal["s3_files"]
