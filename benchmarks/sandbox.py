"""Proves that programs in the sandbox get at nothing they were not given: on each way, as root and as a user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.sandbox_bounds import SMALL
from swarm.sandbox.confinement import MIB

LEAST = 40
MOST_MILLISECONDS = 40.0
SPARE_USER = 65534
"""Owns nothing: "nobody" on most systems."""
SECONDS = 1800.0
PYTHONS = ("python3.13", "python3.12", "python3.11")

PROOF = Proof(
    name="sandbox",
    claim="A program in the sandbox reaches nothing it was not given and uses up no more than its bounds, whoever starts it.",
    bar=(
        f"≥ {LEAST} probes each on bubblewrap and on Landlock, as root and as an ordinary user: all refused or bounded; "
        f"a start ≤ {MOST_MILLISECONDS:g} ms over a bare interpreter (median)"
    ),
)


@dataclass(frozen=True)
class User:
    """Who starts the programs."""

    name: str
    uid: int
    python: str


def users() -> list[User]:
    """Root and a spare user where this runs as root, else whoever runs it."""
    if os.geteuid() != 0:
        return [User("user", os.geteuid(), sys.executable)]
    return [User("root", 0, sys.executable), User("user", SPARE_USER, _python_of(SPARE_USER))]


def _python_of(uid: int) -> str:
    """A Python that the user may run; this one may lie in a folder that is closed to them."""
    found = [shutil.which(name, path="/usr/local/bin:/usr/bin:/bin") for name in PYTHONS]
    for name in (sys.executable, *filter(None, found)):
        with suppress(OSError), _as_user(uid, [name, "-c", "pass"], Path("/")) as process:
            if process.wait() == 0:
                return name
    raise SystemExit(f"no Python that the user {uid} may run; install one in /usr: {', '.join(PYTHONS)}")


def _as_user(uid: int, command: list[str], folder: Path) -> subprocess.Popen[str]:
    is_other = uid != os.geteuid()
    return subprocess.Popen(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(Path.home())},
        stdout=subprocess.PIPE,
        text=True,
        user=uid if is_other else None,
        group=uid if is_other else None,
        extra_groups=[] if is_other else None,
    )


def _copy_sources(folder: Path) -> None:
    """What the worker needs, where every user can read it."""
    for pattern in ("swarm/__init__.py", "swarm/errors.py", "swarm/sandbox/*.py", "benchmarks/sandbox_*.py"):
        for path in ROOT.glob(pattern):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _work(user: User, sources: Path, *mode: str) -> object:
    code = f"import sys; sys.path.insert(0, {str(sources)!r}); from benchmarks.sandbox_worker import main; main()"
    with _as_user(user.uid, [user.python, "-I", "-c", code, *mode], sources) as process:
        if mode == ("times",) and os.geteuid() == 0:
            # So that a start is timed and not what else the machine does.
            os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(1))
        said, _ = process.communicate(timeout=SECONDS)
    if process.returncode != 0:
        raise SystemExit(f"the probes of {user.name} ended with exit code {process.returncode}")
    return json.loads(said)


def measure() -> Findings:
    """All probes of all users."""
    findings = Findings({})
    with tempfile.TemporaryDirectory() as name:
        sources = Path(name)
        _copy_sources(sources)
        for user in users():
            began = time.monotonic()
            _probe(user, sources, findings)
            _time(user, sources, findings)
            print(f"  {user.name}: {time.monotonic() - began:.0f} s", flush=True)
    if os.geteuid() != 0:
        findings.faults.append("root's part was left out: start it as root")
    return findings


def _probe(user: User, sources: Path, findings: Findings) -> None:
    # Unconfined only as the spare user, who has nothing to lose.
    mode = ("unconfined",) if user.uid == SPARE_USER else ()
    found = cast(dict[str, list[dict[str, str | bool]]], _work(user, sources, *mode))
    for way, verdicts in found.items():
        open_ones = [verdict for verdict in verdicts if not verdict["is_held"]]
        if way == "none":
            findings.figures["granted_without_a_sandbox"] = f"{len(open_ones)} of {len(verdicts)}"
            continue
        findings.figures[f"{user.name}_{way.replace(' ', '_')}_held"] = (
            f"{len(verdicts) - len(open_ones)} of {len(verdicts)}"
        )
        for verdict in open_ones:
            findings.faults.append(f"{user.name}, {way}: {verdict['name']}: {verdict['outcome']}")
        if len(verdicts) < LEAST:
            findings.faults.append(f"{user.name}, {way}: only {len(verdicts)} probes")
        most = max(int(verdict["written_bytes"]) for verdict in verdicts) / MIB
        if most:
            bound = SMALL.disk_bytes // MIB
            findings.figures[f"{user.name}_{way}_most_written_of_{bound}_MiB"] = round(most, 1)
        _note(findings.details, f"{user.name}, {way}", verdicts)


def _note(details: list[dict[str, Figure]], column: str, verdicts: list[dict[str, str | bool]]) -> None:
    """A record for each probe, with a column for each way of each user."""
    rows = {row["probe"]: row for row in details}
    for verdict in verdicts:
        if (name := str(verdict["name"])) not in rows:
            rows[name] = {"probe": name}
            details.append(rows[name])
        rows[name][column] = str(verdict["outcome"])


def _time(user: User, sources: Path, findings: Findings) -> None:
    times = cast(dict[str, float], _work(user, sources, "times"))
    for way, milliseconds in times.items():
        over = "" if way == "bare" else "_over_bare"
        findings.figures[f"{user.name}_{way}_start{over}_ms"] = round(milliseconds, 1)
        if way != "bare" and milliseconds > MOST_MILLISECONDS:
            findings.faults.append(f"{user.name}, {way}: a start takes {milliseconds:.0f} ms more")


def main() -> None:
    """Runs the proof."""
    prove(PROOF, measure)


if __name__ == "__main__":
    main()
