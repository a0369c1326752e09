"""How many files and connections this process may hold open."""

from __future__ import annotations

import resource
from contextlib import suppress

MOST = 65_536
"""As many as any run needs; some systems name no end as their hard limit and refuse it as a soft one."""


def raise_descriptor_limit() -> None:
    """Takes what the system allows: the soft limit is 256 on macOS and 1,024 on most Linux systems."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
