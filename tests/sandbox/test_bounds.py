"""A program that uses up one thing is refused more of it, or ended with the reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.sandbox_bounds import EXCESSES, Excess
from benchmarks.sandbox_ground import exceed, flood, orphans
from swarm.sandbox.bounds import taken
from swarm.sandbox.confiner import Way

pytestmark = pytest.mark.anyio

SHORT = {
    "memory in one piece",
    "one large file",
    "many files",
    "files without a name",
    "empty files",
    "folders in folders",
    "open files",
    "processes",
    "processes that leave their group",
    "threads with small stacks",
}
"""The others differ little, or take a second of CPU time; all are in the benchmark."""


@pytest.mark.parametrize("excess", [one for one in EXCESSES if one.name in SHORT], ids=lambda one: one.name)
async def test_more_than_a_bound_is_refused_or_ends_the_program(
    excess: Excess, way: Way, tmp_path: Path
) -> None:
    verdict = await exceed(way, excess, tmp_path, sys.executable)

    assert verdict.is_held, verdict.outcome


async def test_a_program_that_never_stops_writing_ends_with_its_block(way: Way, tmp_path: Path) -> None:
    assert (await flood(way, tmp_path, sys.executable)).is_held


async def test_processes_of_a_program_end_with_it(way: Way, tmp_path: Path) -> None:
    assert (await orphans(way, tmp_path, sys.executable)).outcome == "none"


def test_a_file_with_two_names_counts_once_and_its_names_are_files(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    empty = taken((tmp_path,), 100)
    (tmp_path / "folder" / "one").write_bytes(bytes(100_000))
    once = taken((tmp_path,), 100)
    (tmp_path / "two").hardlink_to(tmp_path / "folder" / "one")

    twice = taken((tmp_path,), 100)

    assert once.bytes - empty.bytes >= 100_000
    assert (twice.bytes, twice.files) == (once.bytes, 3)
    assert taken((tmp_path,), 1).files == 2
