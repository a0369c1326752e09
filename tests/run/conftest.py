"""The process that forks, for the short forms of the proofs: started once, as importing all takes most of the time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator

import pytest

from benchmarks.proof import ROOT

Forked = Callable[..., object]


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Generator[Forked]:
    """What a short form of a proof comes to, by its name in ``forked.py`` and its arguments."""
    place = tmp_path_factory.mktemp("forked")
    said = place / "said.txt"
    command = [sys.executable, "-m", "tests.run.forked", str(place)]
    with (
        said.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):

        def ask(form: str, *arguments: object) -> object:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps([form, *arguments]), file=process.stdin, flush=True)
            line = process.stdout.readline()
            assert line, said.read_text(encoding="utf-8")
            return json.loads(line)

        yield ask
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()  # a test was cut off while it was at work
