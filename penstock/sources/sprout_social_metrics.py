"""The metrics that are asked of each network unless a dataset says otherwise.

Facts: api.sproutsocial.com/docs, "Metrics and Fields", those of "General Availability"; what needs Premium Analytics is
left to the dataset's own list. Sprout leaves a metric that a network has retired out of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

NETWORKS = {
    "facebook": "facebook",
    "fb_page": "facebook",
    "fb_instagram_account": "instagram",
    "instagram": "instagram",
    "linkedin": "linkedin",
    "linkedin_company": "linkedin",
    "pinterest": "pinterest",
    "threads": "threads",
    "tiktok": "tiktok",
    "twitter": "x",
    "x": "x",
    "youtube": "youtube",
}
"""The network of each `network_type` that a profile may have."""

_GROWTH = ("lifetime_snapshot.followers_count", "net_follower_growth")
_GAINS = (*_GROWTH, "followers_gained", "followers_lost")
_SENT = ("posts_sent_count", "posts_sent_by_post_type", "posts_sent_by_content_type")
_AUDIENCE = (
    "lifetime_snapshot.followers_by_age_gender",
    "lifetime_snapshot.followers_by_city",
    "lifetime_snapshot.followers_by_country",
)
_TALK = ("reactions", "comments_count", "shares_count")

PROFILE_METRICS: Mapping[str, tuple[str, ...]] = {
    "facebook": (*_GAINS, "impressions", "impressions_unique", *_TALK, "post_link_clicks", "video_views", *_SENT),
    "instagram": (
        *_GAINS,
        *_AUDIENCE,
        *("impressions", "impressions_unique", "views", "likes", *_TALK, "saves", "video_views", *_SENT),
    ),
    "linkedin": (*_GAINS, "impressions", "impressions_unique", *_TALK, "post_content_clicks", *_SENT),
    "pinterest": (*_GAINS, "pin_count"),
    "threads": (
        *_AUDIENCE,
        "likes",
        "comments_count",
        "shares_count",
        "reposts_count",
        "quotes_count",
        "profile_views",
    ),
    "tiktok": (
        *_GROWTH,
        "lifetime_snapshot.followers_by_country",
        *("likes_total", "comments_count_total", "shares_count_total", "profile_views_total", "video_views_total"),
        *("posts_sent_count", "posts_sent_by_post_type"),
    ),
    "x": (*_GROWTH, "impressions", "likes", *_TALK, "post_link_clicks", "video_views", *_SENT),
    "youtube": (*_GAINS, "posts_sent_count"),
}
"""Metrics of a profile's day, by network."""

_POST_TALK = ("lifetime.reactions", "lifetime.likes", "lifetime.comments_count", "lifetime.shares_count")
_POST_SEEN = ("lifetime.impressions", "lifetime.impressions_unique")

POST_METRICS: Mapping[str, tuple[str, ...]] = {
    "facebook": (*_POST_SEEN, *_POST_TALK, "lifetime.post_link_clicks", "lifetime.video_views"),
    "instagram": (*_POST_SEEN, *_POST_TALK, "lifetime.saves", "lifetime.views", "lifetime.video_views"),
    "linkedin": (
        *_POST_SEEN,
        *("lifetime.reactions", "lifetime.comments_count", "lifetime.shares_count"),
        *("lifetime.post_content_clicks", "lifetime.video_views", "lifetime.video_view_time"),
    ),
    "pinterest": ("lifetime.comments_count", "lifetime.saves"),
    "threads": ("lifetime.impressions", *_POST_TALK),
    "tiktok": ("lifetime.impressions_unique", *_POST_TALK, "lifetime.video_views", "lifetime.video_view_time_per_view"),
    "x": ("lifetime.impressions", *_POST_TALK, "lifetime.post_link_clicks", "lifetime.video_views"),
    "youtube": (*_POST_TALK, "lifetime.video_views", "lifetime.estimated_minutes_watched"),
}
"""Metrics of a post over its life, by network."""


def network_of(network_type: str) -> str:
    """Returns the network of a profile's `network_type`, which is its own where it is not a known one."""
    return NETWORKS.get(network_type.lower(), network_type.lower())
