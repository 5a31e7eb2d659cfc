"""What a sandbox serves; every part has a default, so that `SandboxSettings()` is a whole world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.dbt_cloud.settings import DbtCloudSettings
from sandbox.gladly.settings import GladlySettings
from sandbox.rest.collection import Collection
from sandbox.sprout_social.settings import SproutSocialSettings


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """One world, and where to serve it.

    Args:
        seed: Decides all generated data, together with the clock.
        clock: What time it is in that world; the real time by default.
        port: On 127.0.0.1; 0 takes a free one.
        dbt_cloud: The emulated dbt Cloud account, and what its runs build.
        gladly: The emulated Gladly organisations and their limits.
        collections: Served below `/rest/` by name, beside the generated ones; a name may hold one `{field}`, as in
            `accounts/{account_id}/orders`, which then selects the records by that field.
        sprout_social: The emulated Sprout Social customers and their limits.
    """

    seed: int = 7
    clock: Clock = field(default_factory=Clock)
    port: int = 0
    dbt_cloud: DbtCloudSettings = field(default_factory=DbtCloudSettings)
    gladly: GladlySettings = field(default_factory=GladlySettings)
    collections: Mapping[str, Collection] = field(default_factory=dict)
    sprout_social: SproutSocialSettings = field(default_factory=SproutSocialSettings)
