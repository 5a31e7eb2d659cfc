from __future__ import annotations

import pytest

from penstock.artifacts import Compression
from penstock.errors import ConfigurationError
from penstock.sources.tabular import TabularFormat
from tasks.sources.globs import compile_glob, literal_prefix
from tasks.sources.tabular.formats import format_of


@pytest.mark.parametrize(
    ("glob", "key", "matches"),
    [
        ("drops/*.csv", "drops/a.csv", True),
        ("drops/*.csv", "drops/2026/a.csv", False),
        ("drops/**/*.csv", "drops/a.csv", True),
        ("drops/**/*.csv", "drops/2026/03/a.csv", True),
        ("drops/**", "drops/2026/03/a.csv", True),
        ("**/a.csv", "a.csv", True),
        ("**/a.csv", "x/y/a.csv", True),
        ("**/a.csv", "x/ya.csv", False),
        ("drops/a?.csv", "drops/ab.csv", True),
        ("drops/a?.csv", "drops/a/.csv", False),
        ("drops/[ab].csv", "drops/b.csv", True),
        ("drops/[a-c].csv", "drops/c.csv", True),
        ("drops/[!ab].csv", "drops/b.csv", False),
        ("drops/[!ab].csv", "drops/c.csv", True),
        ("drops/[!ab]x", "drops//x", False),
        ("drops/a.csv", "drops/a.csv", True),
        ("drops/a.csv", "drops/aXcsv", False),
        ("drops/a+(1).csv", "drops/a+(1).csv", True),
        ("drops/[", "drops/[", True),
        ("*.csv", "a.csv.gz", False),
    ],
)
def test_globs_match_whole_keys(glob: str, key: str, matches: bool) -> None:
    assert (compile_glob(glob).fullmatch(key) is not None) is matches


@pytest.mark.parametrize(
    ("glob", "prefix"),
    [("drops/2026-*.csv", "drops/2026-"), ("**/a.csv", ""), ("drops/a.csv", "drops/a.csv"), ("d/[ab].csv", "d/")],
)
def test_a_store_lists_only_below_what_is_literal(glob: str, prefix: str) -> None:
    assert literal_prefix(glob) == prefix


@pytest.mark.parametrize(
    ("key", "format", "compression"),
    [
        ("a.csv", TabularFormat.CSV, Compression.NONE),
        ("a.TSV", TabularFormat.CSV, Compression.NONE),
        ("x.y/a.csv.gz", TabularFormat.CSV, Compression.GZIP),
        ("a.2026.jsonl.zst", TabularFormat.JSONL, Compression.ZSTD),
        ("a.ndjson", TabularFormat.JSONL, Compression.NONE),
        ("a.parquet", TabularFormat.PARQUET, Compression.NONE),
    ],
)
def test_a_files_format_is_read_from_its_endings(key: str, format: TabularFormat, compression: Compression) -> None:
    assert format_of(key, declared=None) == (format, compression)


def test_a_declared_format_counts_before_the_ending() -> None:
    assert format_of("a.dat.gz", declared=TabularFormat.CSV) == (TabularFormat.CSV, Compression.GZIP)
    assert format_of("export", declared=TabularFormat.JSONL) == (TabularFormat.JSONL, Compression.NONE)


@pytest.mark.parametrize("key", ["drops/a.dat", "drops/README", "drops.csv/readme", "a.gz"])
def test_an_ending_that_says_nothing_asks_for_a_declared_format(key: str) -> None:
    with pytest.raises(ConfigurationError, match="does not say its format") as caught:
        format_of(key, declared=None)
    assert caught.value.key == key
