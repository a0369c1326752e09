"""Proves that a wrong input ends in one line: hundreds of them, each through the command a person types."""

from __future__ import annotations

import argparse
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from benchmarks import runs
from benchmarks.mistakes import Mistake, mistakes
from benchmarks.proof import Figure, Findings, Proof, prove
from swarm.cli import app

LEAST = 300
LONGEST_LINE = 400
SECONDS = 5.0
HANGS_SECONDS = 60.0
"""A command that is not over by then hangs, however busy the machine is."""

LOADED = (
    "swarm.models.choose",
    "swarm.planner.check",
    "swarm.project.project",
    "swarm.cli.follow",
    "swarm.cli.plan_file",
    "swarm.run.deadline",
    "swarm.store.shelf.archive",
    "swarm.store.shelf.place",
)
"""What most commands load by themselves; loaded once where they are forked."""

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


def meet_forked(mistake: Mistake) -> Met:
    """The same in a child of this process, which has imported what a command imports when it starts."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile() as said:
        folder = Path(name)
        mistake.prepare(folder)
        began = time.monotonic()
        if not (pid := os.fork()):
            _be_the_command(mistake, folder, said.fileno())
        with os.fdopen(os.pidfd_open(pid)) as ended:
            has_ended = bool(select.select([ended], [], [], HANGS_SECONDS)[0])
        if not has_ended:
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        seconds = time.monotonic() - began
        said.seek(0)
        words = said.read().decode(errors="replace")
        return Met(mistake.name, code if has_ended else None, words, seconds)


def _be_the_command(mistake: Mistake, folder: Path, said: int) -> NoReturn:
    """Does what ``swarm`` does, with streams of its own; this process ends here."""
    try:
        os.chdir(folder)
        (folder / ".stdin").write_bytes(mistake.stdin)
        os.dup2(os.open(folder / ".stdin", os.O_RDONLY), 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(said, 2)
        wanted = environment(mistake.environment)
        os.environ.clear()
        os.environ.update(wanted)
        sys.argv = ["swarm", *mistake.args]
        app.main()
    except BaseException:  # noqa: BLE001  # the child ends here, whatever it was
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """That of a person who has set nothing, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWARM_")}
    return {**kept, **more}


def measure(options: argparse.Namespace) -> Findings:
    """Tries them all, and judges what was said of each."""
    tried = list(mistakes())[:: options.every]
    if options.forked:
        for module in LOADED:
            import_module(module)
        met = [meet_forked(one) for one in tried]
    else:
        with ThreadPoolExecutor(options.processes) as pool:
            met = list(pool.map(meet, tried))
    faults = [f"{one.name}: {one.fault}" for one in met if one.fault]
    late = [f"{one.name}: {one.seconds:.1f} s" for one in met if one.seconds > SECONDS]
    figures: dict[str, Figure] = {
        "each in a process": "forked" if options.forked else "of its own",
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
    parser.add_argument("--forked", action="store_true", help="commands are forked from one that has started")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th of them")
    chosen = parser.parse_args()
    prove(PROOF, lambda: measure(chosen))
