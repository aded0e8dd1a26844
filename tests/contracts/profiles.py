"""How long stateful tests search: by default a little, with HYPOTHESIS_PROFILE=audit as an auditor wants it."""

import os

from hypothesis import HealthCheck, settings

PROFILES = {
    "default": settings(max_examples=20, stateful_step_count=25, deadline=None),
    "audit": settings(
        max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    ),
}

STATEFUL = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")]
