"""The ways that this machine has; one that it has not is skipped with the reason."""

from __future__ import annotations

import pytest

from swarm.errors import ProjectError
from swarm.sandbox.confiner import Way, WayName, choose


def way_or_skip(name: WayName) -> Way:
    """The way, or a skipped test."""
    try:
        return choose(name)
    except ProjectError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["bubblewrap", "landlock"])
def way(request: pytest.FixtureRequest) -> Way:
    """Each way in turn."""
    return way_or_skip(request.param)
