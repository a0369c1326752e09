"""How many cores this process may really use."""

from __future__ import annotations

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def physical_cores() -> int:
    """Cores this process may use: hardware threads of one core count once, a container's quota holds.

    Read from Linux's ``/sys``; elsewhere the number of processors.
    """
    processors = (
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    )
    cores = {_siblings(processor) for processor in processors}
    return max(1, min(len(cores), _quota() or len(cores)))


def _siblings(processor: int) -> str:
    """A name for the core that a processor is a thread of."""
    try:
        return (
            (_TOPOLOGY / f"cpu{processor}/topology/thread_siblings_list").read_text(encoding="ascii").strip()
        )
    except OSError:
        return str(processor)


def _quota() -> int | None:
    """Whole cores that the control group of a container allows (cgroup v2, ``cpu.max``)."""
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return round(int(quota) / int(period))
    except (OSError, ValueError):  # No control group, or "max": no limit.
        return None
