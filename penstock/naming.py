"""Names that Penstock makes: bronze columns and tables, batch ids, and keys in the object store.

All are pure functions of what they name, so a retry on another machine finds what an earlier attempt wrote, and the
same file gives the same columns in every warehouse.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date
from hashlib import sha256
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import StringConstraints

from penstock.artifacts import METADATA_COLUMNS, Interval, StagedColumn, TableRef
from penstock.reserved_words import RESERVED_WORDS
from penstock.spec import Artifact, Name, TableName, snake

MAXIMUM_IDENTIFIER = 63
"""PostgreSQL's limit, the shortest of the warehouses, so that a name is the same in all of them."""

STRATEGY_COLUMNS = ("_valid_from", "_valid_to", "_is_current", "_is_deleted")
"""What `historical` and `cdc` add to a table."""

_TAKEN_COLUMNS = frozenset(METADATA_COLUMNS + STRATEGY_COLUMNS)
_HASH_DIGITS = 8

# Letters that Unicode does not decompose to ASCII, signs that tell columns apart ("Answered" and "% Answered"), and
# apostrophes, which do not part words.
_SPELT_OUT = str.maketrans(
    {"\N{LATIN SMALL LETTER DOTLESS I}": "i", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D"}
    | {"%": " percent ", "#": " number ", "&": " and ", "'": "", "\N{RIGHT SINGLE QUOTATION MARK}": ""}
)
# customerName, Address2Line, HTTPServer; but CSAT, 2FA and userIDs keep their letters together.
_CAMEL_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")


def standardise_columns(names: Sequence[str], *, max_length: int = MAXIMUM_IDENTIFIER) -> tuple[StagedColumn, ...]:
    """Returns the bronze names of a file's columns, by position.

    Each name is made alone (`standardise_column`); a blank one becomes `column_<position>`, counted from 1. Of several
    columns with one name, the one that the source calls exactly so keeps it, else the first by its source name; the
    others, and those whose name Penstock's metadata or a load strategy has, get `_2`, `_3` and so on in that order.
    Which is which depends on the names alone and not on where they stand, so columns may change places between batches;
    only equal source names are told apart by position. A column that comes or goes may rename those it collides with.
    """
    bases = [_identifier(name, max_length) or f"column_{position}" for position, name in enumerate(names, start=1)]
    order = sorted(range(len(names)), key=lambda index: _claim(names[index], bases[index]))
    taken = set(_TAKEN_COLUMNS)
    given: dict[int, str] = {}
    for index in order:
        if bases[index] not in taken:
            given[index] = bases[index]
            taken.add(bases[index])
    next_number: dict[str, int] = {}
    for index in order:
        if index not in given:
            given[index] = _numbered(bases[index], taken, next_number, max_length)
            taken.add(given[index])
    return tuple(StagedColumn(name=given[index], source_name=name) for index, name in enumerate(names))


def standardise_column(name: str, *, max_length: int = MAXIMUM_IDENTIFIER) -> str:
    """Returns one column's bronze name: snake_case ASCII, safe without quotes in every warehouse.

    Accents are dropped and CamelCase is parted; one leading underscore is kept. A name that begins with a digit gets an
    underscore before it, a reserved word one behind it. A name without any ASCII letter or digit (another script,
    an emoji) becomes `column_` and a hash of it, which does not move with its position. A name that is too long is
    cut and ends in a hash of the whole.
    """
    return _identifier(name, max_length) or "column_"


def bronze_table(
    client: str, source_kind: str, dataset: str, *, instance: str | None = None, table: str | None = None
) -> TableRef:
    """Returns a dataset's bronze table: `<client>_bronze.<source>__[<instance>__]<dataset>`, or the `table` given."""
    schema = _with_suffix(_starting_with_a_letter(snake(client)), "_bronze", MAXIMUM_IDENTIFIER)
    name = table or f"{source_kind}__{qualified_dataset(dataset, instance)}"
    return TableRef(schema_name=schema, name=_fit(name, MAXIMUM_IDENTIFIER))


def qualified_dataset(dataset: str, instance: str | None = None) -> str:
    """Returns a dataset's name with its instance, where the pipeline has several: `<instance>__<dataset>`."""
    return f"{instance}__{dataset}" if instance else dataset


def dbt_source(client: str, source_kind: str) -> str:
    """Returns the name of the dbt source that holds what a client has from a kind of source."""
    return f"{snake(client)}_{source_kind}"


def batch_id(run_id: str, pipeline: str, dataset: str, interval: Interval) -> str:
    """Returns the id of the batch that a run extracts for a dataset, such as `20260320T100000Z-1f3a9c2e7b05`.

    The same run, dataset (with its instance) and interval always give the same id, so a retry finds its manifest. Ids
    sort by scheduled time. Twelve hash digits, because a repeated id would skip a load: ten thousand batches of one
    second share one with a chance below one in a million.
    """
    start, end = (None, None) if interval.is_full else interval.bounds()
    times = [None if time is None else time.astimezone(UTC).isoformat() for time in (start, end, interval.as_of)]
    identity = json.dumps([run_id, pipeline, dataset, *times])
    as_of = interval.as_of.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return f"{as_of.isoformat().translate(_WITHOUT_PUNCTUATION)}Z-{_digest(identity, 12)}"


_WITHOUT_PUNCTUATION = str.maketrans("", "", "-:")

Zone = Literal["ingest", "stage", "exports", "artifacts"]
KeyPart = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=128)]


class BatchKeys(Artifact):
    """Where one batch lives in the lake.

    Keys are `<zone>/<client>/<source>/<dataset>/<strategy>/<yyyy>/<mm>/<dd>/<batch_id>/<file>`, with the source's kind
    and the dataset's name with its instance (`qualified_dataset`). The date is the interval's first local day, for a
    full interval the local day of its `as_of`.
    """

    client: Name
    source: TableName
    dataset: KeyPart
    strategy: TableName
    interval: Interval
    batch_id: KeyPart

    @property
    def ingest_prefix(self) -> str:
        """Where the source's own bytes are."""
        return self.prefix("ingest")

    @property
    def stage_prefix(self) -> str:
        """Where the files are that a warehouse can COPY."""
        return self.prefix("stage")

    @property
    def artifacts_prefix(self) -> str:
        """Where reports and rejected rows of the batch are."""
        return self.prefix("artifacts")

    @property
    def manifest_key(self) -> str:
        """The `Extraction` whose presence makes the batch's extraction complete."""
        return self.ingest_prefix + MANIFEST_NAME

    @property
    def stage_manifest_key(self) -> str:
        """The `StagedBatch` whose presence makes the batch's staging complete."""
        return self.stage_prefix + MANIFEST_NAME

    def ingest_key(self, name: str) -> str:
        """Returns the key of a file of any name in the ingest zone."""
        return self.ingest_prefix + key_safe(name)

    def stage_key(self, name: str) -> str:
        """Returns the key of a file of any name in the stage zone."""
        return self.stage_prefix + key_safe(name)

    def prefix(self, zone: Zone) -> str:
        """Returns the batch's prefix in a zone, with its closing slash."""
        return f"{self.day_prefix(zone)}{self.batch_id}/"

    def day_prefix(self, zone: Zone) -> str:
        """Returns the prefix under which all batches of this dataset, strategy and day lie."""
        day = self._local_day()
        path = f"{self.client}/{self.source}/{self.dataset}/{self.strategy}"
        return f"{zone}/{path}/{day.year:04d}/{day.month:02d}/{day.day:02d}/"

    def _local_day(self) -> date:
        moment = self.interval.start or self.interval.as_of
        return moment.astimezone(ZoneInfo(self.interval.timezone)).date()


MANIFEST_NAME = "_manifest.json"
"""No file of a batch has it: `key_safe` gives no name that begins with an underscore."""

_SAFE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_=]|[.-](?![.-]))*")
_EXTENSIONS = re.compile(r"(?:\.[a-z0-9]{1,8}){1,2}$")
_MAXIMUM_KEY_NAME = 128


def key_safe(name: str) -> str:
    """Returns a file's name as the last part of a key: lower-case ASCII, without slash, space or leading dot.

    A safe name is kept. Any other is tidied and gets a hash of the original before its extension (`Orders 1.csv.gz`
    becomes `orders-1--<hash>.csv.gz`), so two names never share a key, also where a file system ignores case.
    """
    if len(name) <= _MAXIMUM_KEY_NAME and _SAFE_NAME.fullmatch(name) and name[-1] not in ".-":
        return name
    ascii_name = _to_ascii(name).lower()
    found = _EXTENSIONS.search(ascii_name)
    extension = found[0] if found else ""
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name.removesuffix(extension)).strip("-")
    return f"{stem[:80].rstrip('-') or 'file'}--{_digest(name, 10)}{extension}"


def _claim(source_name: str, base: str) -> tuple[bool, bool, str]:
    """Returns what orders the columns of one name: exact ones first, blank ones last."""
    return not source_name.strip(), source_name != base, source_name


def _numbered(base: str, taken: AbstractSet[str], next_number: dict[str, int], max_length: int) -> str:
    name = base
    while name in taken:
        number = next_number[base] = next_number.get(base, 1) + 1
        name = _with_suffix(base, f"_{number}", max_length)
    return name


def _identifier(name: str, max_length: int) -> str:
    """Returns a column's name, or an empty string for a blank one."""
    spaced = _CAMEL_BOUNDARY.sub("_", _to_ascii(name)).strip()
    core = _SEPARATORS.sub("_", spaced).strip("_").lower()
    if not core:
        visible = _without(unicodedata.normalize("NFKC", name), {"Cf"}).strip()
        return f"column_{_digest(visible, _HASH_DIGITS)}" if visible else ""
    if spaced.startswith("_"):
        core = f"_{core}"
    if core in RESERVED_WORDS:
        core = f"{core}_"
    return _fit(_starting_with_a_letter(core), max_length)


def _to_ascii(text: str) -> str:
    # Mn: accents, parted from their letters; Cf: what nobody sees, such as a byte order mark.
    decomposed = _without(unicodedata.normalize("NFKD", text.translate(_SPELT_OUT)), {"Mn", "Cf"})
    return "".join(character if character.isascii() else " " for character in decomposed)


def _without(text: str, categories: set[str]) -> str:
    return "".join(character for character in text if unicodedata.category(character) not in categories)


def _starting_with_a_letter(identifier: str) -> str:
    return f"_{identifier}" if identifier[0].isdigit() else identifier


def _fit(identifier: str, max_length: int) -> str:
    if len(identifier) <= max_length:
        return identifier
    return _with_suffix(identifier, f"_{_digest(identifier, _HASH_DIGITS)}", max_length)


def _with_suffix(identifier: str, suffix: str, max_length: int) -> str:
    return identifier[: max_length - len(suffix)].rstrip("_") + suffix


def _digest(text: str, digits: int) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
