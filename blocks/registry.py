"""Every block type of Penstock by its slug; a type's module is imported when the type is asked for.

Only `blocks.s3` and `blocks.snowflake` need Prefect's integrations, which take seconds to import. A run on a platform
without such a block never pays for them, and one without any block does not even import Prefect here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError
from penstock.findings import nearest

if TYPE_CHECKING:
    from blocks.base import ConnectionBlock

BLOCK_CLASSES = {
    "penstock-anthropic": ("blocks.anthropic", "AnthropicCredentials"),
    "penstock-copilot": ("blocks.copilot", "CopilotCredentials"),
    "penstock-cursor": ("blocks.cursor", "CursorCredentials"),
    "penstock-datadog-slo": ("blocks.datadog_slo", "DatadogSloCredentials"),
    "penstock-dbt-cloud": ("blocks.dbt_cloud", "DbtCloudAccount"),
    "penstock-duckdb": ("blocks.duckdb_file", "DuckDBFile"),
    "penstock-folder": ("blocks.folder", "FolderStore"),
    "penstock-gladly": ("blocks.gladly", "GladlyCredentials"),
    "penstock-google": ("blocks.google", "GoogleCredentials"),
    "penstock-incident-io": ("blocks.incident_io", "IncidentIoCredentials"),
    "penstock-litellm": ("blocks.litellm", "LiteLLMCredentials"),
    "penstock-mysql": ("blocks.mysql", "MySqlDatabase"),
    "penstock-nobl9": ("blocks.nobl9", "Nobl9Credentials"),
    "penstock-openai": ("blocks.openai", "OpenAICredentials"),
    "penstock-postgres": ("blocks.postgres", "PostgresDatabase"),
    "penstock-rest": ("blocks.rest", "RestCredentials"),
    "penstock-s3": ("blocks.s3", "S3Store"),
    "penstock-sftp": ("blocks.sftp", "SftpServer"),
    "penstock-snowflake": ("blocks.snowflake", "SnowflakeDatabase"),
    "penstock-sourcegraph": ("blocks.sourcegraph", "SourcegraphCredentials"),
    "penstock-sprout-social": ("blocks.sprout_social", "SproutSocialCredentials"),
    "penstock-windsurf": ("blocks.windsurf", "WindsurfCredentials"),
}
"""Module and class of each block type, by slug."""


def block_type(slug: str) -> type[ConnectionBlock]:
    """Returns a block type.

    Raises:
        ConfigurationError: There is no such type; the nearest one is in the guidance.
    """
    if slug not in BLOCK_CLASSES:
        close = nearest(slug, BLOCK_CLASSES)
        raise ConfigurationError(
            "Penstock has no such block type",
            guidance=f"Did you mean {close}?" if close else f"There are: {', '.join(BLOCK_CLASSES)}.",
            type=slug,
        )
    module, name = BLOCK_CLASSES[slug]
    found: type[ConnectionBlock] = getattr(import_module(module), name)
    return found
