"""What the steps of one load hand to each other."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from penstock.artifacts import FileFormat, StagedFile
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.snowflake.quoting import SNOWFLAKE, literal
from tasks.warehouses.snowflake.session import Sql
from tasks.warehouses.snowflake.stage_files import StagedNames
from tasks.warehouses.snowflake.templates import FILES
from tasks.warehouses.tables import CountedTable


class Reject(NamedTuple):
    """A row that did not land: where it came from, why, and as it was written; `number` is its file's in the batch."""

    number: int
    source_file: str
    line: int | None
    reason: str
    raw_text: str | None


class Names(NamedTuple):
    """The objects that one load makes and drops, all named after the time and the batch."""

    suffix: str

    @property
    def landing(self) -> str:
        """The rows that COPY lands."""
        return f"penstock.landing_{self.suffix}"

    @property
    def lines(self) -> str:
        """The lines of JSON files."""
        return f"penstock.lines_{self.suffix}"

    @property
    def rows(self) -> str:
        """A view of the landed rows with their metadata."""
        return f"penstock.rows_{self.suffix}"

    @property
    def applied(self) -> str:
        """What a strategy makes of the rows."""
        return f"penstock.applied_{self.suffix}"


def new_names(batch_id: str, now: datetime) -> Names:
    """Returns names that no other load has, which tell their age."""
    digest = sha256(batch_id.encode()).hexdigest()[:8]
    return Names(f"{now.astimezone(UTC):%Y%m%d%H%M%S}_{digest}_{secrets.token_hex(4)}")


@dataclass(kw_only=True)
class LoadState(AnyLoadState):
    """A load under way; `AnyLoadState` has the rest.

    Attributes:
        staged: Where Snowflake finds the files.
        names: What this load calls its own objects.
        json_keys: The keys of JSON lines, by their bronze names.
        rejects: Rows that did not land.
    """

    sql_files = FILES
    quoting = SNOWFLAKE

    sql: Sql
    staged: StagedNames
    names: Names
    table: CountedTable
    json_keys: Mapping[str, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def files(self) -> list[StagedFile]:
        """The files that have content, in the batch's order."""
        return [file for file in self.batch.files if not file.is_empty]

    def files_of(self, file_format: FileFormat) -> list[StagedFile]:
        """Returns the files of one format that have content."""
        return [file for file in self.files if file.format is file_format]

    @property
    def file_values(self) -> str:
        """The files as rows of a VALUES clause: (path, number in the batch, source name)."""
        rows = [
            f"({literal(self.staged.paths[file.key])}, {number}, {literal(file.source_name)})"
            for number, file in enumerate(self.files)
        ]
        return ", ".join(rows) or "('', 0, '')"
