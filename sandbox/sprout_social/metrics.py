"""What each network measures: the names Sprout has for it, and the numbers of a day or a post behind them.

Names: api.sproutsocial.com/docs, "Metrics and Fields". A name that belongs to another network is left out of an answer
without a word; one that belongs to none is a 400.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.sprout_social.problems import RefusedError

_EVERYWHERE = {
    "lifetime_snapshot.followers_count": "followers",
    "net_follower_growth": "net",
    "followers_gained": "gained",
    "followers_lost": "lost",
    "posts_sent_count": "posts",
    "posts_sent_by_post_type": "by_type",
    "posts_sent_by_content_type": "by_content",
}
_ENGAGED = {"reactions": "reactions", "comments_count": "comments", "shares_count": "shares"}
_SEEN = {"impressions": "impressions", "impressions_unique": "reach"}
_AUDIENCE = {
    "lifetime_snapshot.followers_by_country": "countries",
    "lifetime_snapshot.followers_by_city": "cities",
    "lifetime_snapshot.followers_by_age_gender": "ages",
}
_PROFILE: Mapping[str, Mapping[str, str]] = {
    "twitter": {
        **_EVERYWHERE,
        **_ENGAGED,
        "impressions": "impressions",
        "likes": "likes",
        "post_link_clicks": "clicks",
        "video_views": "videos",
    },
    "facebook": {**_EVERYWHERE, **_ENGAGED, **_SEEN, "post_link_clicks": "clicks", "video_views": "videos"},
    "instagram": {
        **_EVERYWHERE,
        **_ENGAGED,
        **_SEEN,
        **_AUDIENCE,
        "views": "impressions",
        "likes": "likes",
        "saves": "saves",
        "video_views": "videos",
    },
    "linkedin": {**_EVERYWHERE, **_ENGAGED, **_SEEN, "post_content_clicks": "clicks"},
    "youtube": {name: base for name, base in _EVERYWHERE.items() if "_by_" not in name},
    "tiktok": {
        "lifetime_snapshot.followers_count": "followers",
        "lifetime_snapshot.followers_by_country": "countries",
        "net_follower_growth": "net",
        "likes_total": "likes",
        "comments_count_total": "comments",
        "shares_count_total": "shares",
        "profile_views_total": "visits",
        "video_views_total": "videos",
        "posts_sent_count": "posts",
        "posts_sent_by_post_type": "by_type",
    },
    "threads": {
        **_AUDIENCE,
        "likes": "likes",
        "comments_count": "comments",
        "shares_count": "shares",
        "reposts_count": "shares",
        "quotes_count": "quotes",
        "profile_views": "visits",
    },
}
_LIFETIME = {
    "lifetime.reactions": "reactions",
    "lifetime.likes": "likes",
    "lifetime.comments_count": "comments",
    "lifetime.shares_count": "shares",
}
_POST: Mapping[str, Mapping[str, str]] = {
    "twitter": {
        **_LIFETIME,
        "lifetime.impressions": "impressions",
        "lifetime.post_link_clicks": "clicks",
        "lifetime.video_views": "videos",
    },
    "facebook": {
        **_LIFETIME,
        "lifetime.impressions": "impressions",
        "lifetime.impressions_unique": "reach",
        "lifetime.post_link_clicks": "clicks",
        "lifetime.video_views": "videos",
    },
    "instagram": {
        **_LIFETIME,
        "lifetime.impressions": "impressions",
        "lifetime.impressions_unique": "reach",
        "lifetime.saves": "saves",
        "lifetime.views": "impressions",
        "lifetime.video_views": "videos",
    },
    "linkedin": {
        **{name: base for name, base in _LIFETIME.items() if name != "lifetime.likes"},
        "lifetime.impressions": "impressions",
        "lifetime.impressions_unique": "reach",
        "lifetime.post_content_clicks": "clicks",
        "lifetime.video_views": "videos",
        "lifetime.video_view_time": "watched",
    },
    "youtube": {**_LIFETIME, "lifetime.video_views": "videos", "lifetime.estimated_minutes_watched": "watched"},
    "tiktok": {
        **_LIFETIME,
        "lifetime.impressions_unique": "reach",
        "lifetime.video_views": "videos",
        "lifetime.video_view_time_per_view": "seconds",
    },
    "threads": {**_LIFETIME, "lifetime.impressions": "impressions"},
}


def pick_profile_metrics(asked: Iterable[str], network: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the asked metrics of a profile's day."""
    return _pick(asked, _PROFILE, network, values)


def pick_post_metrics(asked: Iterable[str], network: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the asked metrics of a post."""
    return _pick(asked, _POST, network, values)


def check_metrics(asked: Any, *, of_posts: bool) -> list[str]:
    """Returns the asked names, all of which some network has.

    Raises:
        RefusedError: They are no list of known names.
    """
    names = [] if asked is None else asked
    known = set().union(*(_POST if of_posts else _PROFILE).values())
    if not isinstance(names, list) or not set(map(str, names)) <= known:
        raise RefusedError(400, "metrics holds a name that is not known")
    return [str(name) for name in names]


def _pick(
    asked: Iterable[str], known: Mapping[str, Mapping[str, str]], network: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    names = known.get(network, {})
    return {name: values[names[name]] for name in asked if name in names}
