"""Proves that a full disk ends a run cleanly, at whatever moment, and that a read-only file lets nothing happen.

The folder of the runs is a small file system in memory of its own, in a mount namespace, so that the
kernel itself says that it is full; the workspace and what the servers log are elsewhere.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corruption import told
from benchmarks.ground import Ground, ground
from benchmarks.killing import Sitting, World
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python
from benchmarks.runs import workplace
from benchmarks.trials import to_end
from benchmarks.witness import Witness, made_by
from swarm.errors import StoreError

TRIALS = 50
SEED = 2_026
DISK_BYTES = 4_000_000
LEAST_BYTES = 40_000
"""So much is free at least: with less no run begins."""
REFUSAL_SECONDS = 1.0
BALLAST = "ballast"
NO_FLOOR = "\n[limits]\nfree_disk_mb = 0\n"

PROOF = Proof(
    name="full_disk",
    claim="A disk that is full ends a run with what to do, with no effect that is not recorded, and the run goes on once there is space; a read-only file is refused before anything happens.",
    bar=f"{TRIALS} runs whose disk is full at a random point: 0 effects without their intent, all readable while it is full, all end right once there is space; a read-only file is refused within {REFUSAL_SECONDS:g} s with 0 effects",
)


@dataclass(frozen=True)
class Trial:
    """What one full disk came to."""

    free: int
    is_full: bool
    """Whether the run ended because of it."""
    asked: int
    """Calls in doubt, which a person settled."""
    faults: tuple[str, ...]


def _mount(place: Path, *options: str) -> None:
    subprocess.run(["mount", *options, str(place)], check=True)


def _runs_folder(world: World) -> Path:
    """The folder of the runs, on a small disk of its own."""
    folder = world.project / ".swarm"
    folder.mkdir()
    with (world.project / "swarm.toml").open("a", encoding="utf-8") as file:
        file.write(NO_FLOOR)
    _mount(folder, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs")
    return folder


def _fill(folder: Path, free: int) -> None:
    """Leaves so many bytes of the disk free."""
    left = shutil.disk_usage(folder).free
    (folder / BALLAST).write_bytes(bytes(max(0, left - free)))


def trial(at: Ground, number: int) -> Trial:
    """A run whose disk gets full, and what follows once there is space."""
    free = random.Random(SEED + number).randrange(LEAST_BYTES, _needs(at.whole))
    world = at.world(f"{number:03}").make()
    folder = _runs_folder(world)
    faults: list[str] = []
    try:
        _fill(folder, free)
        sitting = world.sit()
        witness = Witness(world)
        is_full = not sitting.status
        if is_full:
            faults += _faults_while_full(world, sitting, witness)
            (folder / BALLAST).unlink()
            sitting = to_end(world, witness, world.sit())
            witness.after_sitting()
        witness.at_end(sitting, at.whole)
        faults += witness.faults
    finally:
        world.kill_servers()
        subprocess.run(["umount", "-l", str(folder)], check=False)
    if not faults:
        shutil.rmtree(world.folder)
    return Trial(free, is_full, len(witness.in_doubt), tuple(faults))


def _faults_while_full(world: World, sitting: Sitting, witness: Witness) -> list[str]:
    faults: list[str] = []
    if "free some" not in sitting.said:
        faults.append(f"the run did not say what to do: {sitting.said!r}")
    path = world.run_file()
    if path is None:
        return faults + [f"{made} was done without a run" for made in made_by(world)]
    try:
        told(path)
    except StoreError as error:
        return [*faults, f"it cannot be read while the disk is full: {error}"]
    witness.after_kill()
    return faults


def _needs(whole: Sitting) -> int:
    """More than the files of such a run take: a commit of it is some kilobytes in the log."""
    return LEAST_BYTES + whole.commits * 9_000


def read_only(at: Ground) -> tuple[float, list[str]]:
    """The longest time to the refusal, and what was wrong, with the file or its folder read-only."""
    world = at.world("read-only").make()
    world.sit()
    path = world.run_file()
    assert path is not None
    effects, longest, faults = len(made_by(world)), 0.0, list[str]()
    for place_ in (path, path.parent):
        _mount(place_, "--bind", str(place_))
        _mount(place_, "-o", "remount,ro,bind")
        try:
            began = time.monotonic()
            sitting = world.sit()
            longest = max(longest, time.monotonic() - began)
        finally:
            subprocess.run(["umount", "-l", str(place_)], check=True)
        if sitting.status or "read-only" not in sitting.said.lower():
            faults.append(f"{place_.name} is read-only, and the run ended so: {sitting}")
    if len(made_by(world)) != effects:
        faults.append("effects were made though nothing could be recorded")
    if longest > REFUSAL_SECONDS:
        faults.append(f"a read-only file was refused after {longest:.2f} s")
    return longest, faults


def measure(trials: int) -> Findings:
    """All trials, one after the other."""
    place = workplace(PROOF.name)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with ground(place) as at:
        done = [trial(at, number) for number in range(trials)]
        longest, faults = read_only(at)
    counts = Counter(one.is_full for one in done)
    figures: dict[str, Figure] = {
        "runs": len(done),
        "ended by a full disk": counts[True],
        "had just enough": counts[False],
        "least and most bytes free": f"{min(one.free for one in done)}, {max(one.free for one in done)}",
        "calls whose result could not be recorded, put to a person": sum(one.asked for one in done),
        "runs with a fault": sum(bool(one.faults) for one in done),
        "longest refusal of what is read-only (s)": round(longest, 3),
    }
    faults += [f"run {number}: {fault}" for number, one in enumerate(done) for fault in one.faults[:2]]
    if trials < TRIALS:
        faults.append(f"{trials} of {TRIALS} runs: a part proves less")
    return Findings(figures, faults)


def main() -> None:
    """Proves it, in a mount namespace of its own."""
    parser = argparse.ArgumentParser(prog="benchmarks.full_disk", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--inside", action="store_true", help="the mount namespace is this process's own")
    options = parser.parse_args()
    if not options.inside:
        command = python("-m", "benchmarks.full_disk", "--trials", str(options.trials), "--inside")
        raise SystemExit(subprocess.run([*_namespace(), *command], cwd=ROOT, check=False).returncode)
    prove(PROOF, lambda: measure(options.trials))


def _namespace() -> list[str]:
    """What gives a command mounts of its own."""
    tool = shutil.which("unshare")
    if tool is None:
        sys.exit("full_disk: it needs `unshare` of util-linux, and Linux")
    return [tool, "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",))]


if __name__ == "__main__":
    main()
