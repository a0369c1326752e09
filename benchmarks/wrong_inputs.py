"""Proves that a wrong input ends in one line: hundreds of them, each through the command a person types."""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import runs
from benchmarks.mistakes import Mistake, mistakes
from benchmarks.proof import Figure, Findings, Proof, prove

LEAST = 300
LONGEST_LINE = 400
SECONDS = 5.0
HANGS_SECONDS = 60.0
"""A command that is not over by then hangs, however busy the machine is."""

PROOF = Proof(
    name="wrong_inputs",
    claim="A wrong setting, card, server entry, plan, tool file, option, address or archive is told in one line.",
    bar=f"≥ {LEAST} wrong inputs: each one line of at most {LONGEST_LINE} characters, exit code 2, within {SECONDS:g} s; 0 tracebacks, 0 hangs",
)


@dataclass(frozen=True)
class Met:
    """What came of a wrong input."""

    name: str
    code: int | None
    """None where the command hung."""
    said: str
    seconds: float

    @property
    def fault(self) -> str:
        """What is not as it should be; empty where all is."""
        lines = self.said.splitlines()
        if self.code is None:
            return "it hung"
        if "Traceback" in self.said:
            return f"a traceback: {lines[-1][:120]}"
        if self.code != 2:
            return f"exit code {self.code}: {self.said[:120]!r}"
        if len(lines) != 1:
            return f"{len(lines)} lines: {self.said[:120]!r}"
        return f"{len(lines[0])} characters" if len(lines[0]) > LONGEST_LINE else ""


def meet(mistake: Mistake) -> Met:
    """Gives the command the wrong input, in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mistake.prepare(folder)
        began = time.monotonic()
        try:
            done = subprocess.run(
                runs.swarm(*mistake.args),
                cwd=folder,
                env=environment(mistake.environment),
                input=mistake.stdin,
                capture_output=True,
                timeout=HANGS_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Met(mistake.name, None, "", HANGS_SECONDS)
        seconds = time.monotonic() - began
        return Met(mistake.name, done.returncode, done.stderr.decode(errors="replace"), seconds)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """That of a person who has set nothing, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWARM_")}
    return {**kept, **more}


def measure(options: argparse.Namespace) -> Findings:
    """Tries them all, and judges what was said of each."""
    tried = list(mistakes())[:: options.every]
    with ThreadPoolExecutor(options.processes) as pool:
        met = list(pool.map(meet, tried))
    faults = [f"{one.name}: {one.fault}" for one in met if one.fault]
    late = [f"{one.name}: {one.seconds:.1f} s" for one in met if one.seconds > SECONDS]
    figures: dict[str, Figure] = {
        "wrong inputs": len(met),
        "one line, exit code 2": len(met) - len(faults),
        "tracebacks": sum("Traceback" in one.said for one in met),
        "hangs": sum(one.code is None for one in met),
        "longest line, characters": max(len(one.said) for one in met),
        "longest, s": round(max(one.seconds for one in met), 2),
        "longer than 5 s": len(late),
    }
    if len(met) < LEAST:
        faults.append(f"{len(met)} were tried: fewer than {LEAST} prove less")
    return Findings(figures, [*faults, *late][:30])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.wrong_inputs", description=__doc__)
    parser.add_argument("--processes", type=int, default=2, help="commands at a time")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th of them")
    chosen = parser.parse_args()
    prove(PROOF, lambda: measure(chosen))
