"""``docs/programs.md``: its page of functions is the one that models read, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.proof import ROOT
from swarm.nouns.limits import Limits
from swarm.program import contents, dialogue, outcome, saving
from swarm.program import program_process as process
from swarm.program import program_wire as wire
from swarm.program.program_process import run_program
from swarm.program.program_wire import Order, TableFiles
from swarm.sandbox.confiner import choose
from tests.program.conftest import no_calls

DOCUMENT = (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python example=(\w+)\n(.*?)```", DOCUMENT, re.DOTALL))


def test_the_page_of_functions_is_the_one_that_models_read() -> None:
    prompt = (ROOT / "swarm" / "prompts" / "program.md").read_text(encoding="utf-8")
    page = prompt.partition("These functions are there:\n")[2].partition("Python's standard library")[0]

    assert f"```\n{page.replace('<<tools>>', '')}```" in DOCUMENT


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"`limits.candidates` ({Limits().candidates})" in DOCUMENT
    assert f"{dialogue.SECONDS:g} s by itself" in DOCUMENT
    assert f"{outcome.MOST_FILES:,} files of {outcome.MOST_BYTES // 2**20} MiB" in DOCUMENT
    assert f"an answer of {wire.MOST_BYTES // 2**20} MiB and {dialogue.MOST_CALLS:,} calls" in DOCUMENT
    assert f"{process.BOUNDS['memory_bytes'] // 2**30} GiB" in DOCUMENT
    assert f"{saving.EXACT_PLACES} digits and at least {saving.LEAST_PLACES} places" in DOCUMENT
    assert contents.DIGITS == 12


@pytest.mark.anyio
@pytest.mark.timeout(120)
async def test_the_examples_run(tmp_path: Path) -> None:
    made = {
        "visits/ann.txt": "guest: Ann\n2024-03-01 | pool | 12 min\n2024-03-01 | gym | 40 min\n",
        "visits/bob.txt": "guest: Bob\n2024-03-02 | pool | 8 min\n",
        "orders.csv": "id,customer\nA1,Ann\nB2,Bob\n",
        "mails/1.txt": "Dear Ann\nOrder: A1\n",
    }
    for name, text in made.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    tables = [TableFiles(name="orders", pattern="orders.csv")]

    found = {
        name: await run_program(Order(text, str(tmp_path), "", "", tables=tables), no_calls, choose("auto"))
        for name, text in EXAMPLES.items()
    }

    assert {name: one.error for name, one in found.items()} == {"visits": "", "orders": ""}
    assert found["visits"].answer == {"visits": 3}
    assert found["visits"].files["places.csv"].text == "place,minutes\ngym,40\npool,20\n"
    assert found["orders"].answer == "1 of 2 orders are not confirmed"
    assert found["orders"].files["missing.csv"].text == "id,customer\nB2,Bob\n"
