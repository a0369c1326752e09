"""What `swarm doctor` says of the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.runs import NO_SERVERS
from tests.cli.conftest import Command


def test_the_doctor_says_which_way_is_used(
    swarm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_MODEL", "scripted")
    settings = tmp_path / "swarm.toml"
    settings.write_text('sandbox = "none"\n' + NO_SERVERS, encoding="utf-8")
    without = swarm("doctor")
    settings.write_text('sandbox = "bubblewrap"\n' + NO_SERVERS, encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))

    failing = swarm("doctor")

    assert "none: programs run with your rights" in without.out
    assert 'GAP  sandbox   sandbox = "bubblewrap", but bubblewrap is not installed' in failing.out
