"""From the records of a page to its rows: inner arrays taken out, and what a row shall carry put in front of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from penstock.artifacts import Interval
from penstock.errors import DataError
from penstock.local_time import to_utc
from penstock.sources.rest import RestDataset
from penstock.sources.rest_rows import BUCKET_END, BUCKET_START, EnvelopeBucket, RequestBucket, RowBucket
from tasks.sources.rest.body import JsonBody, Raw, carry_fields, field_of, join_records
from tasks.sources.rest.page import Page

_DIGITS = re.compile(r"\d{9,13}")
# Seconds have ten digits from 2001 to 2286, milliseconds thirteen.
_FIRST_MILLISECOND = 100_000_000_000
_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)
_Bucket = tuple[datetime, datetime]
_ELSEWHERE: _Bucket = (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class Shaped(NamedTuple):
    """A page whose records are rows, and how many were left out for lying outside of what was asked."""

    page: Page
    left_out: int = 0


def shape_page(page: Page, dataset: RestDataset, part: Interval) -> Shaped:
    """Returns a page with the rows of its records, each carrying its bucket and what else the dataset says.

    Rows of another time than was asked for are left out: an API may round a bound, or take its end as inclusive, and
    the neighbouring window has them.

    Raises:
        DataError: A record has no array of rows, or no time, where the dataset says.
    """
    if dataset.rows is None and dataset.bucket is None and not dataset.carry:
        return Shaped(page)
    carried = {name: msgspec.json.encode(_from_body(page.body, path)) for name, path in dataset.carry.items()}
    rows: list[Raw] = []
    left_out = 0
    for record in page.records:
        for row, bucket in _rows_of(record, dataset, part):
            if bucket is _ELSEWHERE:
                left_out += 1
            else:
                rows.append(Raw(carry_fields(row, {**_as_json(bucket), **carried})))
    return Shaped(page._replace(records=rows, lines=join_records(rows)), left_out)


def read_moment(value: Any) -> datetime | None:
    """Returns a time of an answer in UTC: ISO 8601 (a date, or without an offset: in UTC), seconds or milliseconds.

    Numbers may be text, as Cursor's milliseconds are. None is returned for what is no time.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    if _DIGITS.fullmatch(value):
        number = int(value)
        return datetime.fromtimestamp(number / 1000 if number >= _FIRST_MILLISECOND else number, UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _rows_of(record: Raw, dataset: RestDataset, part: Interval) -> Iterator[tuple[Raw, _Bucket | None]]:
    """Yields a record's rows, each with its bucket: None where rows carry none."""
    bucket = dataset.bucket
    whole: _Bucket | None = None
    if isinstance(bucket, EnvelopeBucket):
        span = _moment_at(record, bucket.start), _moment_at(record, bucket.end)
        whole = span if _overlaps(span, part) else _ELSEWHERE
    elif isinstance(bucket, RequestBucket) and not part.is_full:
        start, end = part.bounds()
        whole = to_utc(start), to_utc(end)
    for row in _inner_records(record, dataset):
        yield row, _day_of(row, bucket.time, part) if isinstance(bucket, RowBucket) else whole


def _inner_records(record: Raw, dataset: RestDataset) -> Sequence[Raw]:
    if dataset.rows is None:
        return (record,)
    body = JsonBody(bytes(record))
    places = (dataset.rows,) if isinstance(dataset.rows, str) else dataset.rows
    found = next((rows for place in places if (rows := body.records(place)) is not None), None)
    if found is None and not dataset.records_may_be_absent:
        raise body.no_records(places[0]).as_data_error()
    return found or ()


def _day_of(row: Raw, path: str, part: Interval) -> _Bucket:
    """Returns the day that a row lies in. A midnight stands for the whole day, as in a row per day."""
    moment = _moment_at(row, path)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    span = day, day + _DAY
    lies_in = _overlaps(span if moment == day else (moment, moment + _INSTANT), part)
    return span if lies_in else _ELSEWHERE


def _moment_at(record: Raw, path: str) -> datetime:
    moment = read_moment(field_of(record, path))
    if moment is None:
        raise DataError(
            "a record has no time where its bucket is looked for",
            guidance="Compare the dataset's `bucket` with an answer of the API.",
            field=path,
        )
    return moment


def _overlaps(span: _Bucket, part: Interval) -> bool:
    if part.is_full:
        return True
    start, end = part.bounds()
    return span[0] < end and span[1] > start


def _as_json(bucket: _Bucket | None) -> Mapping[str, bytes]:
    if bucket is None:
        return {}
    texts = (moment.isoformat().replace("+00:00", "Z") for moment in bucket)
    return {name: b'"%s"' % text.encode() for name, text in zip((BUCKET_START, BUCKET_END), texts, strict=True)}


def _from_body(body: JsonBody | None, path: str) -> Any:
    return None if body is None else body.value(path)
