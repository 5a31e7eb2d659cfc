"""Property tests here share a machine with other work, so no example is failed for taking long."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The parent keeps what Hypothesis sets by itself under CI: the same examples on every run.
settings.register_profile("unit", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")
