"""Short forms of the proofs of power cuts and corruptions: counts only."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from benchmarks import corruption, power_cuts
from benchmarks.corruption import Specimen, told
from benchmarks.disk_log import Deed, Disk, compiler
from benchmarks.scripts.acknowledged import RUN, work

ROOT = "/disk"
FILE = f"{ROOT}/a"


@pytest.mark.skipif(compiler() is None, reason="the library that logs writes is compiled with cc")
def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path) -> None:
    findings = power_cuts.measure(tmp_path / "cuts", cuts=12, processes=1, turns=48)
    assert findings.faults == ["12 of 1000 cuts: a part proves less"]
    assert findings.figures["cuts"] == 12
    assert findings.figures["of them lost"] == 0


def test_no_corruption_passes_for_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    asyncio.run(work(tmp_path / "run", 48))
    run = tmp_path / "run" / RUN
    findings = corruption.measure(tmp_path, [Specimen(run, (), told(run))], range(24))
    assert findings.faults == []
    assert findings.figures["SILENT"] == 0
    assert findings.figures["corruptions"] == 24


def test_a_cut_keeps_what_was_synced_and_any_part_of_the_rest(tmp_path: Path) -> None:
    disk = Disk(Path(ROOT))
    deeds = [
        Deed("C", FILE, 0, b""),
        Deed("W", FILE, 0, b"a" * 1_024),
        Deed("S", FILE, 0, b""),
        Deed("W", FILE, 0, b"b" * 1_024),
    ]
    for deed in deeds:
        disk.do(deed)
    chance, seen = random.Random(1), set[bytes]()
    for _ in range(200):
        disk.cut(chance, tmp_path)
        seen.add((tmp_path / "a").read_bytes())
    a, b = b"a" * 512, b"b" * 512
    assert seen == {a + a, b + b, a + b, b + a}
