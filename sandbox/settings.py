"""What a sandbox serves; every part has a default, so that `SandboxSettings()` is a whole world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.ai_tools.settings import AiToolsSettings
from sandbox.clock import Clock
from sandbox.datadog_slo.settings import DatadogSloSettings
from sandbox.dbt_cloud.settings import DbtCloudSettings
from sandbox.drops.settings import DropsSettings
from sandbox.gladly.settings import GladlySettings
from sandbox.google.settings import GoogleSettings
from sandbox.incident_io.settings import IncidentIoSettings
from sandbox.nobl9.settings import Nobl9Settings
from sandbox.rest.collection import Collection
from sandbox.sprout_social.settings import SproutSocialSettings


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """One world, and where to serve it.

    Args:
        seed: Decides all generated data, together with the clock.
        clock: What time it is in that world; the real time by default.
        port: On 127.0.0.1; 0 takes a free one.
        drops: The files that a vendor drops, and into which folder.
        datadog_slo: The emulated Datadog organisation.
        ai_tools: The company whose use of seven AI tools is reported.
        dbt_cloud: The emulated dbt Cloud account, and what its runs build.
        gladly: The emulated Gladly organisations and their limits.
        incident_io: The emulated incident.io workspaces.
        nobl9: The emulated Nobl9 organisation.
        google: The emulated Google accounts, their mail and their spreadsheets.
        collections: Served below `/rest/` by name, beside the generated ones; a name may hold one `{field}`, as in
            `accounts/{account_id}/orders`, which then selects the records by that field.
        sprout_social: The emulated Sprout Social customers and their limits.
    """

    seed: int = 7
    clock: Clock = field(default_factory=Clock)
    port: int = 0
    drops: DropsSettings = field(default_factory=DropsSettings)
    datadog_slo: DatadogSloSettings = field(default_factory=DatadogSloSettings)
    ai_tools: AiToolsSettings = field(default_factory=AiToolsSettings)
    dbt_cloud: DbtCloudSettings = field(default_factory=DbtCloudSettings)
    gladly: GladlySettings = field(default_factory=GladlySettings)
    incident_io: IncidentIoSettings = field(default_factory=IncidentIoSettings)
    nobl9: Nobl9Settings = field(default_factory=Nobl9Settings)
    google: GoogleSettings = field(default_factory=GoogleSettings)
    collections: Mapping[str, Collection] = field(default_factory=dict)
    sprout_social: SproutSocialSettings = field(default_factory=SproutSocialSettings)
