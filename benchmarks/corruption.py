"""Proves that a damaged file of a run never passes for a whole one, nor an older state of it for the last.

Each trial damages a copy of a real run's files in one way and holds what readers and a resume then
tell against what was written: all the same, refused, or mended and said so.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks.killing import Moment, World
from benchmarks.nursery import nursery
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from swarm.errors import StoreError
from swarm.nouns.events import Event, Notice
from swarm.store.rows.journal import Journal
from swarm.store.shelf import reader

TRIALS = 500
SEED = 2_026
KILLED_AT = (4, 15, 30, 60)
"""Commits after which a run is killed: its log is there then, and what it was before."""
PAGE, SECTOR = 4_096, 512

PROOF = Proof(
    name="corruption",
    claim="What is read of a run is what was written: a damaged file, a lost end and an older state are noticed.",
    bar=f"{TRIALS} corruptions (flipped bytes, torn, swapped and older pages, cut files, lost logs, whole older states) of files of real runs: 100 % detected, recovered and told, or without effect on what is read; never silently another state, never another error",
)

SILENT = "SILENT"
READERS: dict[str, Callable[[Path], object]] = {
    "run": reader.read_run,
    "events": reader.read_events,
    "steps": reader.read_steps,
    "threads": reader.read_threads,
    "calls": reader.count_calls,
    "questions": reader.read_questions,
}
Told = dict[str, object]
"""What each of the readers gave."""


@dataclass(frozen=True)
class Specimen:
    """The files of a run that was killed or has ended, and what they tell."""

    run: Path
    """The run's file; the others are beside it."""
    older: tuple[Path, ...]
    """The same run's file in earlier states."""
    told: Told

    def files(self, *suffixes: str) -> list[Path]:
        """Those of its files that are there."""
        places = [self.run.with_name(self.run.name + suffix) for suffix in suffixes]
        return [place for place in places if place.is_file() and place.stat().st_size]


def told(path: Path) -> Told:
    """What is read of a run's file.

    Raises:
        StoreError: something is not as it was written.
    """
    return {name: read(path) for name, read in READERS.items()}


def specimens(place: Path) -> list[Specimen]:
    """Real runs of a scripted model with servers: one that has ended, and what kills left of one."""
    with nursery() as socket:
        ended = World(place / "ended", socket).make()
        asyncio.run(ended.run(lambda: 0))  # in this process, so that all is imported before a fork
        killed = World(place / "killed", socket).make()
        states: list[Path] = []
        for number, at in enumerate(KILLED_AT):
            killed.sit(Moment("commit", at - (KILLED_AT[number - 1] if number else 0), "after"))
            states.append(_kept(killed, place / f"state-{number}"))
        killed.kill_servers()
        states = [state for state in states if state.is_file()]
        whole = _kept(ended, place / "whole")
    last = states[-1]
    return [Specimen(whole, (), told(whole)), Specimen(last, tuple(states[:-1]), told(last))]


def _kept(world: World, into: Path) -> Path:
    path = world.run_file()
    assert path is not None
    shutil.copytree(path.parent, into, ignore=shutil.ignore_patterns("*.sock", "servers"))
    return into / path.name


Damage = Callable[[Specimen, random.Random], None]


def _flip(*suffixes: str, most: int) -> Damage:
    def damage(at: Specimen, chance: random.Random) -> None:
        path = chance.choice(at.files(*suffixes))
        data = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, most)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)

    return damage


def _overwrite(size: int) -> Damage:
    """Some bytes become zeros, noise, or what stands at another place of that size."""

    def damage(at: Specimen, chance: random.Random) -> None:
        path = chance.choice(at.files("", "-wal"))
        data = bytearray(path.read_bytes())
        place = chance.randrange(max(1, len(data) // size)) * size
        other = chance.randrange(max(1, len(data) // size)) * size
        part = chance.choice((bytes(size), chance.randbytes(size), bytes(data[other : other + size])))
        data[place : place + size] = part[: len(data) - place]
        path.write_bytes(data)

    return damage


def _cut(*suffixes: str) -> Damage:
    def damage(at: Specimen, chance: random.Random) -> None:
        path = chance.choice(at.files(*suffixes) or at.files(""))
        with path.open("r+b") as file:
            file.truncate(chance.randrange(path.stat().st_size))

    return damage


def _older_page(at: Specimen, chance: random.Random) -> None:
    if not at.older:
        return _overwrite(PAGE)(at, chance)
    old, data = chance.choice(at.older).read_bytes(), bytearray(at.run.read_bytes())
    place = chance.randrange(max(1, min(len(old), len(data)) // PAGE)) * PAGE
    data[place : place + PAGE] = old[place : place + PAGE]
    at.run.write_bytes(data)
    return None


def _older_state(at: Specimen, chance: random.Random) -> None:
    """The files of an earlier moment come back, as from a backup; what is beside them stays."""
    if not at.older:
        return _cut("")(at, chance)
    old = chance.choice(at.older)
    for suffix in ("", "-wal"):
        target, source = at.run.with_name(at.run.name + suffix), old.with_name(old.name + suffix)
        target.unlink(missing_ok=True)
        if source.is_file():
            shutil.copy(source, target)
    return None


def _no_log(at: Specimen, chance: random.Random) -> None:
    for path in at.files("-wal") or [chance.choice(at.files(""))]:
        path.unlink()


def _beside(at: Specimen, chance: random.Random) -> None:
    """The witness or the index of the log: neither holds anything of the run."""
    path = chance.choice([at.run.with_suffix(".seal"), *at.files("-shm")])
    path.write_bytes(chance.randbytes(chance.randrange(60)))


DAMAGES: dict[str, Damage] = {
    "one bit of the file": _flip("", most=1),
    "some bits of the file or its log": _flip("", "-wal", most=8),
    "some bits of the log": _flip("-wal", "", most=3),
    "a sector": _overwrite(SECTOR),
    "a page": _overwrite(PAGE),
    "half a page": _overwrite(PAGE // 2),
    "an older page": _older_page,
    "a log that was cut": _cut("-wal"),
    "a file that was cut": _cut(""),
    "a log that is gone": _no_log,
    "an older state": _older_state,
    "what is beside the file": _beside,
}


@dataclass(frozen=True)
class Verdict:
    """How a damaged run was met."""

    outcome: str
    """``refused``, ``mended``, ``without effect`` or ``SILENT``."""
    said: str = ""


async def judged(path: Path, wanted: Told) -> Verdict:
    """Reads a run's file and resumes it, and holds what both tell against what was written."""
    for name, read in READERS.items():
        try:
            if read(path) != wanted[name]:
                return Verdict(SILENT, f"{name} were read as another state")
        except StoreError:
            continue  # refused, which each reader may for itself
        except Exception as error:  # noqa: BLE001 - a fault of ours is what this looks for
            return Verdict(SILENT, f"reading the {name}: {type(error).__name__}: {error}")
    try:
        async with Journal.open(path):
            pass
    except StoreError as error:
        return Verdict("refused", str(error))
    except Exception as error:  # noqa: BLE001 - as above
        return Verdict(SILENT, f"opening it: {type(error).__name__}: {error}")
    return _resumed(told(path), wanted)


def _resumed(now: Told, wanted: Told) -> Verdict:
    wrong = [name for name in READERS if name != "events" and now[name] != wanted[name]]
    if wrong:
        return Verdict(SILENT, f"{', '.join(wrong)} were resumed as another state")
    before, after = _events(wanted), _events(now)
    notes = [event.text for event in after if isinstance(event, Notice) and event not in before]
    kept = [event for event in after if not (isinstance(event, Notice) and event not in before)]
    mended = any("was damaged in" in note for note in notes)
    if kept != before and not mended:
        return Verdict(SILENT, "the events were resumed as others")
    if any(event not in before for event in kept):
        return Verdict(SILENT, "there are events that never were")
    return Verdict("mended" if mended else "without effect", "; ".join(notes))


def _events(given: Told) -> list[Event]:
    return cast(list[Event], given["events"])


def measure(place: Path, found: list[Specimen], trials: Iterable[int]) -> Findings:
    """One damage for each number, of the kinds in turn."""
    counts: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {kind: Counter() for kind in DAMAGES}
    faults: list[str] = []
    for number in trials:
        kind, damage = list(DAMAGES.items())[number % len(DAMAGES)]
        chance = random.Random(SEED + number)
        specimen = found[chance.random() < 0.7] if len(found) > 1 else found[0]
        folder = place / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(specimen.run.parent, folder)
        damage(Specimen(folder / specimen.run.name, specimen.older, specimen.told), chance)
        verdict = asyncio.run(judged(folder / specimen.run.name, specimen.told))
        counts[verdict.outcome] += 1
        by_kind[kind][verdict.outcome] += 1
        if verdict.outcome == SILENT:
            faults.append(f"trial {number}, {kind}: {verdict.said}")
    outcomes = ("refused", "mended", "without effect", SILENT)
    figures: dict[str, Figure] = {"corruptions": counts.total()}
    figures |= {outcome: counts[outcome] for outcome in outcomes}
    details: list[dict[str, Figure]] = [
        {"damage": kind, **{outcome: counter[outcome] for outcome in outcomes}}
        for kind, counter in by_kind.items()
    ]
    return Findings(figures, faults, details)


def main() -> None:
    """Proves it, or with ``--trials`` a part of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.corruption", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    place = workplace(PROOF.name)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    prove(PROOF, lambda: _enough(measure(place, specimens(place), range(trials)), trials))


def _enough(findings: Findings, trials: int) -> Findings:
    if trials < TRIALS:
        findings.faults.append(f"{trials} of {TRIALS} corruptions: a part proves less")
    return findings


if __name__ == "__main__":
    main()
