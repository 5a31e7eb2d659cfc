from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts import Interval
from penstock.connections import OAuth2Auth, RateLimit, SproutSocialConnection
from penstock.errors import ConfigurationError
from penstock.local_time import local_midnight
from penstock.sources.registry import SOURCES
from penstock.sources.sprout_social import SproutSocialDataset, check_sprout_social_dataset
from penstock.sources.sprout_social_metrics import POST_METRICS, PROFILE_METRICS, network_of
from penstock.window import DailyWindow, FullWindow, IntradayRelativeWindow, TimeWindow
from tasks.sources.http.limiter import EVERY_REQUEST
from tasks.sources.sprout_social.catalog import REPORTS
from tasks.sources.sprout_social.connection import POLICY, settings_of
from tasks.sources.sprout_social.period import cut, days_of, halve, period_filter
from tasks.sources.sprout_social.profiles import Profile, Target, targets_of
from tasks.sources.sprout_social.reports import query_body
from tests.fakes.sink import MemorySink

SECRET = "not-to-be-seen"
NEW_YORK = "America/New_York"
AS_OF = datetime(2026, 11, 20, tzinfo=UTC)


def _days(first: str, after_last: str, timezone: str = NEW_YORK) -> Interval:
    bounds = [local_midnight(date.fromisoformat(day), ZoneInfo(timezone)) for day in (first, after_last)]
    return Interval(start=bounds[0], end=bounds[1], timezone=timezone, as_of=AS_OF)


def _times(start: str, end: str) -> Interval:
    return Interval(
        start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), timezone=NEW_YORK, as_of=AS_OF
    )


def _dataset(endpoint: str, **more: Any) -> SproutSocialDataset:
    return SproutSocialDataset.model_validate({"name": "x", "endpoint": endpoint, **more})


def test_days_are_stated_as_days_of_the_windows_zone_without_the_one_after_the_last() -> None:
    stated = period_filter("reporting_period", _days("2026-10-31", "2026-11-03"), by_day=True)
    assert stated == "reporting_period.in(2026-10-31...2026-11-03)"


@pytest.mark.parametrize(
    ("interval", "stated"),
    [
        (_days("2026-03-08", "2026-03-09"), "t.in(2026-03-08T05:00:00...2026-03-09T04:00:00)"),
        (_days("2026-11-01", "2026-11-02"), "t.in(2026-11-01T04:00:00...2026-11-02T05:00:00)"),
        (
            _times("2026-03-20T10:00:00.250Z", "2026-03-20T11:00:00Z"),
            "t.in(2026-03-20T10:00:01...2026-03-20T11:00:00)",
        ),
        (
            _times("2026-03-20T09:00:00Z", "2026-03-20T10:00:00.250Z"),
            "t.in(2026-03-20T09:00:00...2026-03-20T10:00:01)",
        ),
    ],
    ids=["23-hours", "25-hours", "fraction-at-the-start", "fraction-at-the-end"],
)
def test_times_are_stated_in_utc_and_whole_seconds_so_that_windows_tile(interval: Interval, stated: str) -> None:
    assert period_filter("t", interval, by_day=False) == stated


def test_profiles_are_not_asked_for_parts_of_days() -> None:
    with pytest.raises(ConfigurationError, match="daily"):
        period_filter("reporting_period", _times("2026-03-20T10:00:00Z", "2026-03-21T10:00:00Z"), by_day=True)


@pytest.mark.parametrize("by_day", [True, False])
def test_a_window_without_bounds_is_refused(by_day: bool) -> None:
    with pytest.raises(ConfigurationError, match="bounds"):
        period_filter("t", Interval(start=None, end=None, as_of=AS_OF), by_day=by_day)


@given(first=st.dates(date(2024, 1, 1), date(2027, 1, 1)), count=st.integers(1, 900), longest=st.integers(1, 400))
def test_parts_of_days_tile_the_interval_and_none_is_too_long(first: date, count: int, longest: int) -> None:
    interval = _days(first.isoformat(), (first + timedelta(days=count)).isoformat())
    parts = list(cut(interval, timedelta(days=longest), by_day=True))
    assert [parts[0].start, *(part.end for part in parts)] == [*(part.start for part in parts), interval.end]
    spans = [days_of(part) for part in parts]
    assert [(span.last - span.first).days + 1 for span in spans[:-1]] == [longest] * (len(parts) - 1)
    assert (spans[-1].last - spans[-1].first).days < longest


@given(
    start=st.integers(1_704_067_200, 1_798_761_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=60)),
)
def test_parts_of_times_tile_the_interval_and_none_is_longer_than_a_week(start: datetime, length: timedelta) -> None:
    interval = Interval(start=start, end=start + length, as_of=AS_OF)
    parts = list(cut(interval, timedelta(days=7), by_day=False))
    assert [parts[0].start, *(part.end for part in parts)] == [*(part.start for part in parts), interval.end]
    assert all(timedelta(0) < part.bounds()[1] - part.bounds()[0] <= timedelta(days=7) for part in parts)


def test_halves_meet_at_midnight_for_days_and_end_at_one_day_or_second() -> None:
    first, second = halve(_days("2026-10-31", "2026-11-03"), by_day=True) or ()
    assert (first.end, second.start) == (second.start, local_midnight(date(2026, 11, 1), days_of(second).zone))
    assert halve(_days("2026-11-01", "2026-11-02"), by_day=True) is None
    assert halve(_times("2026-03-20T10:00:00Z", "2026-03-20T10:00:01Z"), by_day=False) is None
    halves = halve(_times("2026-03-20T10:00:00Z", "2026-03-20T10:00:03Z"), by_day=False) or ()
    assert [half.end for half in halves] == [datetime(2026, 3, 20, 10, 0, second, tzinfo=UTC) for second in (1, 3)]


def _profile(number: int, network_type: str = "facebook", groups: tuple[int, ...] = (1,)) -> Profile:
    return Profile(number, network_type, groups)


def _targets(profiles: list[Profile], endpoint: str, sink: MemorySink | None = None, **more: Any) -> list[Target]:
    return list(targets_of(profiles, REPORTS[endpoint], _dataset(endpoint, **more), sink or MemorySink()))


def test_profiles_of_a_network_are_asked_for_together_a_hundred_at_most() -> None:
    profiles = [_profile(number, "facebook" if number % 2 else "twitter") for number in range(250)]
    targets = _targets(profiles, "profile_analytics")
    assert [(target.network, target.profile_count) for target in targets] == [
        ("facebook", 100),
        ("facebook", 25),
        ("x", 100),
        ("x", 25),
    ]
    ids = [int(one) for target in targets for one in target.filters[0].split("(")[1].rstrip(")").split(", ")]
    assert sorted(ids) == list(range(250))
    assert [one.profile_count for one in _targets(profiles[:7], "post_analytics", profiles_per_request=2)] == [
        2,
        1,
        2,
        2,
    ]


def test_a_profile_of_two_groups_is_asked_for_its_messages_once() -> None:
    sink = MemorySink()
    profiles = [_profile(1, groups=(7, 8)), _profile(2, groups=(8,)), _profile(3, groups=())]
    assert [target.filters for target in _targets(profiles, "messages", sink)] == [
        ("group_id.eq(7)", "customer_profile_id.eq(1)"),
        ("group_id.eq(8)", "customer_profile_id.eq(2)"),
    ]
    assert sink.warnings == ["1 profiles were left out: they are in no group, and messages are asked for by group"]


def test_a_network_without_metrics_is_left_out_with_a_warning_until_the_dataset_names_some() -> None:
    sink = MemorySink()
    profiles = [_profile(1), _profile(2, "reddit_user")]
    assert [target.network for target in _targets(profiles, "profile_analytics", sink)] == ["facebook"]
    assert "reddit_user" in sink.warnings[0]
    named = _targets(profiles, "profile_analytics", metrics={"reddit_user": ["karma"]})
    assert [target.network for target in named] == ["facebook", "reddit_user"]


@pytest.mark.parametrize("metrics", [PROFILE_METRICS, POST_METRICS])
def test_each_network_has_a_default_list_without_repetitions(metrics: Any) -> None:
    assert set(metrics) == set(map(network_of, metrics))
    for network, names in metrics.items():
        assert names, network
        assert len(names) == len(set(names)), network
    if metrics is POST_METRICS:
        assert all(name.startswith("lifetime.") for names in metrics.values() for name in names)


def test_a_query_asks_for_the_networks_metrics_and_for_keys_and_times_whatever_the_fields_are() -> None:
    target = Target(("customer_profile_id.eq(1, 2)",), "instagram", 2)
    dataset = _dataset(
        "post_analytics",
        metrics={"fb_instagram_account": ["lifetime.saves"]},
        fields=["text", "guid"],
        filters=["internal.tags.id.eq(5)"],
    )
    assert query_body(REPORTS["post_analytics"], dataset, target, _days("2026-03-20", "2026-03-21")) == {
        "filters": [
            "customer_profile_id.eq(1, 2)",
            "created_time.in(2026-03-20T04:00:00...2026-03-21T04:00:00)",
            "internal.tags.id.eq(5)",
        ],
        "metrics": ["lifetime.saves"],
        "fields": ["guid", "created_time", "customer_profile_id", "text"],
        "timezone": "UTC",
        "sort": ["created_time:asc"],
    }


def test_days_are_asked_for_without_a_zone_or_fields() -> None:
    target = Target(("customer_profile_id.eq(1)",), "youtube", 1)
    interval = _days("2026-03-20", "2026-03-21")
    body = query_body(REPORTS["profile_analytics"], _dataset("profile_analytics"), target, interval)
    assert body == {
        "filters": ["customer_profile_id.eq(1)", "reporting_period.in(2026-03-20...2026-03-21)"],
        "metrics": list(PROFILE_METRICS["youtube"]),
    }


@pytest.mark.parametrize(
    ("dataset", "named"),
    [
        ({"endpoint": "tags", "metrics": {"x": ["likes"]}}, "metrics"),
        ({"endpoint": "cases", "profiles": [1]}, "profiles"),
        ({"endpoint": "profile_analytics", "fields": ["text"]}, "fields"),
        ({"endpoint": "messages", "by": "updated_time"}, "by"),
        ({"endpoint": "post_analytics", "metrics": {"x": []}}, "without any"),
    ],
)
def test_an_option_that_means_nothing_at_an_endpoint_is_refused(dataset: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        _dataset(**dataset)


@pytest.mark.parametrize(
    ("endpoint", "window", "is_error"),
    [
        ("post_analytics", FullWindow(kind="full"), True),
        ("profile_analytics", IntradayRelativeWindow(kind="intraday_relative", lookback="6h"), False),
        ("profile_analytics", DailyWindow(kind="daily"), None),
        ("messages", IntradayRelativeWindow(kind="intraday_relative", lookback="6h"), None),
        ("tags", FullWindow(kind="full"), None),
    ],
)
def test_windows_that_sprout_cannot_be_asked_for_are_found_before_it_is_asked(
    endpoint: str, window: TimeWindow, is_error: bool | None
) -> None:
    found = list(check_sprout_social_dataset(_dataset(endpoint), window))
    assert [finding.is_error for finding in found] == ([] if is_error is None else [is_error])


def test_reports_honour_a_window_and_lists_are_whole() -> None:
    traits = SOURCES["sprout_social"].dataset_traits
    assert traits(_dataset("cases")).honours_window
    assert not traits(_dataset("tags")).honours_window
    assert traits(_dataset("tags")).absent_rows_are_deleted


def _connection(**given: Any) -> SproutSocialConnection:
    return SproutSocialConnection.model_validate({"kind": "sprout_social", **(given or {"token": SECRET})})


def test_sprouts_limit_holds_at_sprouts_address_with_some_left_for_others() -> None:
    settings = settings_of("acme", _connection())
    assert settings.base_url == "https://api.sproutsocial.com"
    assert settings.budgets[EVERY_REQUEST].limit == RateLimit(requests=55, seconds=60)
    elsewhere = settings_of("acme", _connection(token=SECRET, base_url="http://127.0.0.1:9/sprout_social"))
    assert elsewhere.budgets[EVERY_REQUEST].limit is None
    slower = settings_of("acme", _connection(token=SECRET, requests_per_minute=20))
    assert slower.budgets[EVERY_REQUEST].limit == RateLimit(requests=20, seconds=60)
    # A 429 has no Retry-After, a 202 no answer yet.
    assert POLICY.shortest_limited_pause_seconds == 5.0
    assert settings.not_ready == {202}


def test_a_client_gets_its_token_from_sprouts_identity_service() -> None:
    auth = settings_of("acme", _connection(client_id="me", client_secret=SECRET)).auth
    assert isinstance(auth, OAuth2Auth)
    assert auth.token_url.startswith("https://identity.sproutsocial.com/oauth2/")
    assert auth.scope == "organization_id"


@pytest.mark.parametrize(
    "given",
    [
        {"customer_id": 1},
        {"client_id": "me"},
        {"client_secret": SECRET},
        {"token": SECRET, "client_id": "me", "client_secret": SECRET},
        {"token": SECRET, "base_url": f"https://me:{SECRET}@x.example"},
    ],
)
def test_credentials_that_do_not_go_together_are_refused_without_being_shown(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"give|address") as caught:
        _connection(**given)
    assert SECRET not in str(caught.value)


def test_what_describes_a_connection_does_not_show_its_secrets() -> None:
    for connection in (_connection(), _connection(client_id="me", client_secret=SECRET)):
        assert SECRET not in repr(connection) + repr(settings_of("acme", connection))
