"""Wrong inputs of every kind, in this process: ``benchmarks.wrong_inputs`` gives each to a command of its own."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from benchmarks.mistakes import Mistake, mistakes
from benchmarks.wrong_inputs import LEAST, LONGEST_LINE
from swarm.cli.app import main

ALL = list(mistakes())
SOME = ALL[:: int(os.environ.get("SWARM_TEST_EVERY", "5"))]


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) >= LEAST
    assert len({mistake.name for mistake in ALL}) == len(ALL)


@pytest.mark.parametrize("mistake", SOME, ids=lambda mistake: mistake.name.encode("unicode_escape").decode())
def test_a_wrong_input_is_told_in_one_line(
    mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("SWARM_")]:
        monkeypatch.delenv(name)
    for name, value in mistake.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mistake.stdin), encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    mistake.prepare(tmp_path)

    with pytest.raises(SystemExit) as end:
        main(mistake.args)

    said = capsys.readouterr().err
    assert end.value.code == 2, said[:400]
    assert len(said.splitlines()) == 1, said[:400]
    assert len(said) <= LONGEST_LINE, said[:500]
    assert "Traceback" not in said
