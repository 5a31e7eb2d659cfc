from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.streams import CsvRecords, JsonLines

HEADER = ["Timestamp", "Event Type", "Note"]


def _csv(rows: list[list[str]], ending: str) -> bytes:
    buffer = io.StringIO(newline="")
    # Python's writer leaves a lone CR bare in lines that end in LF; others quote it, as RFC 4180 says.
    has_cr = any("\r" in value for row in rows for value in row)
    writer = csv.writer(buffer, lineterminator=ending, quoting=csv.QUOTE_ALL if has_cr else csv.QUOTE_MINIMAL)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _chunks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _count_csv(data: bytes, size: int = 64) -> CsvRecords:
    records = CsvRecords()
    added = sum(records.feed(chunk) for chunk in _chunks(data, size)) + records.finish()
    assert added == records.count
    return records


@given(
    rows=st.lists(st.lists(st.text(alphabet='a,"\n\r é', max_size=8), min_size=3, max_size=3), max_size=12),
    size=st.integers(1, 30),
    ending=st.sampled_from(["\n", "\r\n"]),
    has_last_break=st.booleans(),
)
def test_records_are_counted_as_a_csv_reader_counts_them(
    rows: list[list[str]], size: int, ending: str, has_last_break: bool
) -> None:
    data = _csv(rows, ending)
    data = data if has_last_break else data.removesuffix(ending.encode())
    read = [row for row in csv.reader(io.StringIO(data.decode(), newline="")) if row]
    assert _count_csv(data, size).count == len(read) - 1


def test_a_header_alone_is_a_window_without_rows() -> None:
    assert _count_csv(b"Timestamp,Event Type\n").count == 0
    assert _count_csv(b"\xef\xbb\xbfTimestamp,Event Type").count == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n\n",
        b"Unexpected error occurred while generating the report. Please try again.",
        b"Sorry, something went wrong.\n",
        b'{"errors":[{"attr":"x","code":"invalid"}]}',
        b"<!DOCTYPE html>\n<html>,</html>",
    ],
)
def test_an_error_text_is_not_taken_for_a_report(answer: bytes) -> None:
    with pytest.raises(UnreadableBodyError) as caught:
        _count_csv(answer)
    assert "rror occurred" not in str(caught.value)


def test_a_report_without_an_expected_column_is_refused() -> None:
    records = CsvRecords(expected_columns=("Timestamp", "Contact ID"))
    with pytest.raises(UnreadableBodyError, match="not the report's CSV"):
        records.feed(b"Timestamp,Event Type\n")
    assert CsvRecords(expected_columns=("Event Type",)).feed(b"Timestamp,Event Type\n1,2\n") == 1


def test_a_report_that_ends_inside_quotes_was_cut_off() -> None:
    with pytest.raises(UnreadableBodyError, match="middle of a value"):
        _count_csv(b'Timestamp,Note\n1,"half a no')


@given(lines=st.lists(st.sampled_from([b'{"id":1}', b"", b"  ", b"{broken"]), max_size=20), size=st.integers(1, 20))
def test_json_lines_are_counted_without_the_empty_ones(lines: list[bytes], size: int) -> None:
    counted = JsonLines()
    data = b"".join(line + b"\n" for line in lines)
    assert sum(counted.feed(chunk) for chunk in _chunks(data, size)) + counted.finish() == counted.count
    assert counted.count == sum(1 for line in lines if line.strip())


def test_a_last_line_without_a_break_counts_when_it_is_whole() -> None:
    counted = JsonLines()
    assert counted.feed(b'{"id":1}\n{"id":2}') == 1
    assert counted.finish() == 1


def test_a_file_that_ends_in_the_middle_of_a_record_was_cut_off() -> None:
    counted = JsonLines()
    counted.feed(b'{"id":1}\n{"id":')
    with pytest.raises(UnreadableBodyError, match="middle of a record"):
        counted.finish()
