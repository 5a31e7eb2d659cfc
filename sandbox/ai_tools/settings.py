"""Which company uses the emulated AI tools, what opens their APIs, and what they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

# These open nothing but the sandbox.
ANTHROPIC_KEY = "sk-ant-admin-sandbox-key"
OPENAI_KEY = "sk-admin-sandbox-key"
CURSOR_KEY = "crsr_sandbox-key"
COPILOT_TOKEN = "ghp-sandbox-token"  # noqa: S105
LITELLM_KEY = "sk-litellm-sandbox-key"
WINDSURF_KEY = "windsurf-sandbox-service-key"
SOURCEGRAPH_TOKEN = "sourcegraph-sandbox-token"  # noqa: S105
# Known to each of the seven, and without the right to read usage: every call is a 403.
KEY_WITHOUT_RIGHTS = "sandbox-key-without-rights"

COPILOT_ORGANIZATIONS = ("orbit", "orbit-labs")
COPILOT_ENTERPRISE = "orbit-group"
SOURCEGRAPH_INSTANCE = "https://sourcegraph.orbit.example.com"
WINDSURF_GROUP = "platform"

# Requests a minute, as the vendors or their connectors' authors say.
DOCUMENTED_LIMITS: Mapping[str, int] = {"cursor": 20, "openai": 60}


@dataclass(frozen=True, kw_only=True)
class AiToolsSettings:
    """The company and the limits of the seven APIs.

    Args:
        engineers: How many people use the tools; each uses two to four of them.
        opened_on: The first day with usage.
        requests_per_minute: By tool; one that is not named has no limit. `DOCUMENTED_LIMITS` are the real ones.
        late_share: Share of the usage that is reported only 20 to 44 hours later, so that its day is restated.
        logs_cap: Where LiteLLM stops counting its request log.
    """

    engineers: int = 24
    opened_on: date = date(2025, 10, 10)
    requests_per_minute: Mapping[str, int] = field(default_factory=dict)
    late_share: float = 0.06
    logs_cap: int = 10_000
