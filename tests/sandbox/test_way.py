"""Which way is taken, and what a person is told where none works."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.project.settings import read_settings
from swarm.sandbox.confiner import Way, choose
from tests.sandbox.conftest import way_or_skip

FAILS = """#!/bin/sh
echo "bwrap: No permissions to create new namespace" >&2
exit 1
"""


def use_a_bwrap_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = folder / "bwrap"
    program.write_text(FAILS, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}")
    return program


def test_bubblewrap_is_taken_where_it_can_start() -> None:
    way = way_or_skip("bubblewrap")

    assert choose("auto") == way
    assert way.words == f"bubblewrap ({way.program}) with a seccomp filter"


def test_where_bubblewrap_is_missing_or_cannot_start_landlock_is_taken_and_the_reason_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abi = way_or_skip("landlock").abi
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    missing = choose("auto")
    use_a_bwrap_that_fails(tmp_path, monkeypatch)

    failing = choose("auto")

    assert missing == Way("landlock", abi=abi, reason="bubblewrap is not installed")
    assert failing.reason == ("bubblewrap can't start here: bwrap: No permissions to create new namespace")
    assert failing.words.startswith(f"Landlock (version {abi}) with a seccomp filter; bubblewrap can't")


def test_a_way_that_is_set_and_does_not_work_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_a_bwrap_that_fails(tmp_path, monkeypatch)

    with pytest.raises(ProjectError) as told:
        choose("bubblewrap")

    assert str(told.value) == (
        'sandbox = "bubblewrap", but bubblewrap can\'t start here: bwrap: No permissions to create new '
        "namespace; install bubblewrap (the package has that name) and allow it user namespaces, or "
        'sandbox = "none" in swarm.toml goes without one'
    )


def test_going_without_takes_the_word_in_the_settings(tmp_path: Path) -> None:
    assert read_settings(tmp_path).sandbox == "auto"
    (tmp_path / "swarm.toml").write_text('sandbox = "none"\n', encoding="utf-8")

    assert choose(read_settings(tmp_path).sandbox) == Way("none")


def test_another_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text('sandbox = "docker"\n', encoding="utf-8")

    with pytest.raises(ProjectError, match="sandbox"):
        read_settings(tmp_path)
