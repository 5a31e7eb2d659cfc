"""The edge where an interval becomes an API's own words for time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval
from penstock.backfill import cut
from penstock.errors import ConfigurationError
from penstock.local_time import local_date, local_midnight, to_utc
from penstock.sources.rest import Granularity, WindowParameters

_STEPS: dict[Granularity, timedelta] = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
}
# An API whose clock is this coarse rounds other bounds, and so gives another window than was asked.
_COARSE = ("day", "hour", "minute")


def window_values(spec: WindowParameters, interval: Interval) -> dict[str, str | int]:
    """Returns the parameters that state a half-open interval to an API, or none for a full interval.

    An inclusive end is moved back by the API's smallest step, so that adjacent windows tile without gap or overlap.
    Where records are narrowed to the interval afterwards, its bounds are moved outwards to whole steps first.

    Raises:
        ConfigurationError: The API's clock cannot say a bound: it lies between two of its steps, or in the hour that a
            clock change repeats while the format has no offset.
    """
    if interval.is_full:
        return {}
    start, end = asked_interval(spec, interval).bounds()
    zone = _zone(spec, interval)
    values = {}
    if spec.start is not None:
        values[spec.start] = _write(start, spec, zone, is_end=False)
    if spec.end is not None:
        values[spec.end] = _write(end, spec, zone, is_end=True)
    return values


def asked_interval(spec: WindowParameters, interval: Interval) -> Interval:
    """Returns the time that the API is asked for: the interval, or the whole steps of its clock around it."""
    if spec.narrowed_by is None or interval.is_full:
        return interval
    zone, granularity = _zone(spec, interval), _granularity(spec)
    start, end = (to_utc(bound).astimezone(zone) for bound in interval.bounds())
    last_step = _rounded_down(end, granularity, zone)
    is_whole = to_utc(last_step) == to_utc(end)
    end = last_step if is_whole else _step_on(last_step, granularity, zone)
    return interval.model_copy(update={"start": to_utc(_rounded_down(start, granularity, zone)), "end": to_utc(end)})


def parts_of(spec: WindowParameters | None, interval: Interval) -> list[Interval]:
    """Returns the intervals that are asked for one by one, in order; they tile the one that was given."""
    if spec is None or spec.longest is None or interval.is_full:
        return [interval]
    start, end = interval.bounds()
    pieces = cut(start, end, spec.longest, spec.timezone or interval.timezone)
    return [piece.model_copy(update={"timezone": interval.timezone, "as_of": interval.as_of}) for piece in pieces]


def _granularity(spec: WindowParameters) -> Granularity:
    return "day" if spec.format == "date" else spec.granularity


def _zone(spec: WindowParameters, interval: Interval) -> ZoneInfo:
    if spec.timezone is not None:
        return ZoneInfo(spec.timezone)
    return ZoneInfo("UTC" if spec.format.endswith("Z") else interval.timezone)


def _write(bound: datetime, spec: WindowParameters, zone: ZoneInfo, *, is_end: bool) -> str | int:
    """Returns one bound as the API writes it."""
    local = to_utc(bound).astimezone(zone)
    granularity = _granularity(spec)
    if granularity in _COARSE or spec.end_inclusive:
        _require(to_utc(_rounded_down(local, granularity, zone)) == to_utc(bound), bound, spec, zone)
    if is_end and spec.end_inclusive:
        local = _step_back(local, granularity)
    if spec.format in ("epoch", "epoch_ms"):
        return _epoch(local, spec, zone)
    if spec.format == "iso":
        return _isoformat(local)
    return _formatted(local, "%Y-%m-%d" if spec.format == "date" else spec.format, spec, zone)


def _isoformat(local: datetime) -> str:
    has_milliseconds = local.microsecond and local.microsecond % 1000 == 0
    return local.isoformat(timespec="milliseconds" if has_milliseconds else "auto").replace("+00:00", "Z")


def _epoch(moment: datetime, spec: WindowParameters, zone: ZoneInfo) -> int:
    unit = _STEPS["second" if spec.format == "epoch" else "millisecond"]
    count, rest = divmod(moment - datetime(1970, 1, 1, tzinfo=UTC), unit)
    _require(not rest, moment, spec, zone)
    return count


def _formatted(local: datetime, pattern: str, spec: WindowParameters, zone: ZoneInfo) -> str:
    """Returns a moment by a strftime pattern that loses nothing of it."""
    text = local.strftime(pattern)
    if spec.format == "date":
        return text
    read_back = datetime.strptime(text, pattern)  # noqa: DTZ007 - compared as local time
    says_all = read_back.replace(tzinfo=None) == local.replace(tzinfo=None, fold=0)
    repeated = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    _require(says_all and (not repeated or "%z" in pattern), local, spec, zone)
    return text


def _rounded_down(local: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """Returns the beginning of the step of the zone's clock that a moment lies in."""
    match granularity:
        case "day":
            return local_midnight(local.date(), zone)
        case "hour":
            return local.replace(minute=0, second=0, microsecond=0)
        case "minute":
            return local.replace(second=0, microsecond=0)
        case "second":
            return local.replace(microsecond=0)
        case "millisecond":
            return local.replace(microsecond=local.microsecond // 1000 * 1000)


def _step_on(local: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """Returns the beginning of the step after the one that begins at a moment."""
    if granularity == "day":
        return local_midnight(local_date(local, zone) + _STEPS["day"], zone)
    return (to_utc(local) + _STEPS[granularity]).astimezone(zone)


def _step_back(local: datetime, granularity: Granularity) -> datetime:
    """Returns the last step before a moment: the previous calendar day, or that much elapsed time earlier."""
    if granularity == "day":
        return local - _STEPS["day"]
    return (local.astimezone(UTC) - _STEPS[granularity]).astimezone(local.tzinfo)


def _require(can_be_said: bool, bound: datetime, spec: WindowParameters, zone: ZoneInfo) -> None:
    if not can_be_said:
        raise ConfigurationError(
            "the API cannot be asked for a window with this bound",
            guidance="Use a window whose bounds are whole steps of the API's clock, such as `daily` in its zone, or "
            "correct `window_parameters`.",
            bound=bound.isoformat(),
            format=spec.format,
            timezone=str(zone),
        )
