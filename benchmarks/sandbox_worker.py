"""Sends the probes as whoever it runs as, on each way, and prints what came of them as JSON.

It needs the standard library, ``swarm.sandbox`` and its own kind alone, so that a user who has
neither this checkout nor its environment can run it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.sandbox_bounds import EXCESSES, SMALL
from benchmarks.sandbox_ground import Verdict, ask_all, exceed, flood, orphans, outside, spare_signals
from swarm.errors import ProjectError
from swarm.sandbox.confiner import Way, WayName, choose
from swarm.sandbox.launch import Program
from swarm.sandbox.start import start

WAYS: tuple[WayName, ...] = ("bubblewrap", "landlock")
OLDER = (1, 3, 5)
"""Versions of Landlock in Linux 5.13, 6.2 and 6.10: fewer rules, for which the filter stands in."""
ROUNDS = 40


async def probe() -> dict[str, list[Verdict]]:
    """By way all that was asked, used up and left behind."""
    found: dict[str, list[Verdict]] = {}
    for name in WAYS:
        try:
            way = choose(name)
        except ProjectError as error:
            found[name] = [Verdict("the way", str(error), False)]
            continue
        found[name] = [*await _asked(way), *await _used_up(way)]
        if name == "landlock":
            for abi in (abi for abi in OLDER if abi < way.abi):
                found[f"landlock {abi}"] = await _asked(replace(way, abi=abi))
    return found


async def _asked(way: Way) -> list[Verdict]:
    with tempfile.TemporaryDirectory() as name, outside(Path(name)) as there:
        return await ask_all(way, there, sys.executable)


async def _used_up(way: Way) -> list[Verdict]:
    found: list[Verdict] = []
    for excess in EXCESSES:
        if way.name in excess.ways:
            with tempfile.TemporaryDirectory() as name:
                found.append(await exceed(way, excess, Path(name), sys.executable))
    for ending in (flood, orphans):
        with tempfile.TemporaryDirectory() as name:
            found.append(await ending(way, Path(name), sys.executable))
    return found


async def take_times() -> dict[str, float]:
    """By way the milliseconds over a bare interpreter: the median over rounds that try all in turn."""
    command = (sys.executable, "-I", "-c", "pass")
    over: dict[str, list[float]] = {name: [] for name in WAYS}
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(ROUNDS):
            bare.append(_bare_seconds(folder, command))
            for way in WAYS:
                over[way].append(await _seconds(choose(way), folder, command) - bare[-1])
    medians = {way: statistics.median(seconds) * 1e3 for way, seconds in over.items()}
    return {"bare": statistics.median(bare) * 1e3, **medians}


def _bare_seconds(folder: Path, command: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env={}, cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - began


async def _seconds(way: Way, folder: Path, command: tuple[str, ...]) -> float:
    walls = replace(SMALL, writable=(folder,))
    began = time.perf_counter()
    async with start(way, walls, Program(command, folder, {})) as confined:
        ending = await confined.wait()
        seconds = time.perf_counter() - began
    if ending.code != 0:
        raise SystemExit(f"{way.name}: a bare interpreter ended with {ending}")
    return seconds


def main() -> None:
    """Prints the verdicts, or with ``times`` the times."""
    spare_signals()
    if sys.argv[-1] == "times":
        print(json.dumps(asyncio.run(take_times())))
        return
    found = asyncio.run(probe())
    if sys.argv[-1] == "unconfined":
        found["none"] = asyncio.run(_asked(Way("none")))
    print(json.dumps({way: [asdict(verdict) for verdict in verdicts] for way, verdicts in found.items()}))


if __name__ == "__main__":
    main()
