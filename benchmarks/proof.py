"""What every proof shares: how it is run, judged and recorded, and the machine it ran on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"

Figure = float | int | str
Report = dict[str, object]


@dataclass(frozen=True)
class Proof:
    """A claim and the command that proves it."""

    name: str
    claim: str
    bar: str
    """What the figures must reach, in words and numbers."""

    @property
    def command(self) -> str:
        return f"python -m benchmarks.{self.name}"


@dataclass(frozen=True)
class Findings:
    """What a proof measured."""

    figures: dict[str, Figure]
    """By name with the unit in it, in the order to be shown."""
    faults: list[str] = field(default_factory=list[str])
    """Where the bar is missed, one sentence each."""
    details: list[dict[str, Figure]] = field(default_factory=list[dict[str, Figure]])
    """One record for each run or case, where the figures sum up several."""


def prove(proof: Proof, measure: Callable[[], Findings]) -> None:
    """Measures, prints the figures, records them, and exits with 1 when the bar is missed."""
    began = time.monotonic()
    print(f"{proof.name}: {proof.claim}", flush=True)
    if (load := os.getloadavg()[0]) > 1.0:
        print(f"  the machine is busy (load {load:.1f}): times will be worse than they need be", flush=True)
    findings = measure()
    seconds = round(time.monotonic() - began, 1)
    width = max((len(name) for name in findings.figures), default=0)
    for name, value in findings.figures.items():
        print(f"  {name:<{width}}  {value}")
    for fault in findings.faults:
        print(f"  below the bar: {fault}")
    print(f"  bar: {proof.bar}\n  {'passed' if not findings.faults else 'FAILED'} in {seconds} s")
    record(proof, findings, seconds)
    if findings.faults:
        raise SystemExit(1)


def record(proof: Proof, findings: Findings, seconds: float, folder: Path = RESULTS) -> None:
    """Writes ``NAME.json``: the last result of a proof."""
    report: Report = {
        "name": proof.name,
        "claim": proof.claim,
        "command": proof.command,
        "bar": proof.bar,
        "figures": findings.figures,
        "faults": findings.faults,
        "passed": not findings.faults,
        "machine": asdict(machine()),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "seconds": seconds,
        "details": findings.details,
    }
    folder.mkdir(exist_ok=True)
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    (folder / f"{proof.name}.json").write_text(text, encoding="utf-8")


def last_result(name: str, folder: Path = RESULTS) -> Report | None:
    """The last recorded result of a proof, or None when it never ran."""
    path = folder / f"{name}.json"
    return cast(Report, json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


@dataclass(frozen=True)
class Machine:
    """What the figures depend on; it has no name and no address."""

    cpu: str
    cores: int
    memory_gib: int
    system: str
    python: str


def machine() -> Machine:
    """The machine this runs on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gib=round(pages / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def commit() -> str:
    """The short id of the commit, with ``+`` when files that count have been changed since."""
    short = _git("rev-parse", "--short", "HEAD")
    changed = _git(
        "status", "--porcelain", "--untracked-files=no", "--", ":!benchmarks/results", ":!PROOFS.md"
    )
    return (short or "unknown") + ("+" if changed else "")


def _git(*args: str) -> str:
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def run(command: list[str], *, cwd: Path = ROOT, seconds: float = 600.0) -> subprocess.CompletedProcess[str]:
    """A command that has ended, with its output; one that takes too long is killed and has failed."""
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(command, 124, "", f"{error}")


def python(*args: str) -> list[str]:
    """A command that runs this Python with these arguments."""
    return [sys.executable, *args]
