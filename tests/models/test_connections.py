"""How many connections to a model server are open at once: as many as leave descriptors for all else."""

from __future__ import annotations

import resource
from collections.abc import Generator

import pytest

from swarm.cli.descriptors import raise_descriptor_limit
from swarm.models.client.transport import FEWEST_CONNECTIONS, OTHER_DESCRIPTORS, most_connections


@pytest.fixture(autouse=True)
def kept() -> Generator[None]:
    """The limits are as they were afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("soft", [256, 1_024])
def test_connections_leave_descriptors_for_all_else(soft: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert most_connections() == soft - OTHER_DESCRIPTORS
    assert most_connections() > FEWEST_CONNECTIONS


def test_the_command_takes_what_the_system_allows() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    raise_descriptor_limit()
    soft, still = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert still == hard
    assert soft == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))
