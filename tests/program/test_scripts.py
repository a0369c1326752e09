"""The text of a program as it is run: names, functions, and lines of another form."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.nouns.plan import Step
from swarm.program.checks import Promise, faults
from swarm.program.kept import LENIENT, is_told_lenient
from swarm.program.outcome import Outcome
from swarm.program.source_text import form_of
from swarm.survey import Survey
from tests.program.conftest import Ran

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

COUNT = """
import re
count = {}
for name in files("logs"):
    for line in lines(name):
        level = re.search("ERROR|INFO", line).group(0)
        count[level] = count.get(level, 0) + 1
answer(count)
"""


def write_log(workspace: Path, *lines: str) -> None:
    (workspace / "logs").mkdir(exist_ok=True)
    (workspace / "logs/a.log").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


async def test_lines_of_another_form_are_passed_over_and_told(workspace: Path, ran: Ran) -> None:
    write_log(workspace, "07:01 ERROR x", "    at handler", "07:02 INFO y", "07:03 INFO z")

    outcome = await ran(COUNT, is_lenient=True)

    assert (outcome.error, outcome.answer) == ("", {"ERROR": 1, "INFO": 2})
    assert outcome.passed == "1 of 4 lines have another form and were passed over, as 'at handler'"


@pytest.mark.parametrize(
    "lines",
    [
        ("07:01 ERROR x", "07:02 DEBUG y", "07:03 INFO z", "07:04 INFO z"),
        ("07:01 ERROR x", "    at handler", "    at gate"),
    ],
    ids=["lines of the same form", "more lines than are kept"],
)
async def test_lines_that_may_be_meant_are_never_passed_over(
    workspace: Path, ran: Ran, lines: tuple[str, ...]
) -> None:
    write_log(workspace, *lines)

    outcome = await ran(COUNT, is_lenient=True)

    assert "'NoneType' object has no attribute 'group'" in outcome.error
    assert outcome.passed == ""


async def test_an_amount_spelled_otherwise_is_not_taken_for_a_line_of_another_form(
    workspace: Path, ran: Ran
) -> None:
    write_log(workspace, "kettle 5.50", "pot 6,50", "pan 7.00")

    outcome = await ran(
        'answer(sum(float(line.split()[1]) for name in files("logs") for line in lines(name)))'
    )
    looped = await ran(
        'total = 0\nfor line in lines("logs/a.log"):\n    total += float(line.split()[1])\nanswer(total)',
        is_lenient=True,
    )

    assert "could not convert" in outcome.error
    assert "could not convert" in looped.error
    assert form_of("pot 6,50") == form_of("pan 7.00")


async def test_a_program_that_a_person_wrote_fails_at_such_a_line_unless_it_says_otherwise(
    workspace: Path, ran: Ran
) -> None:
    write_log(workspace, "07:01 ERROR x", "    at handler", "07:02 INFO y", "07:03 INFO z")

    assert "has no attribute 'group'" in (await ran(COUNT)).error
    assert not is_told_lenient(COUNT)
    assert is_told_lenient(f"{LENIENT}\n{COUNT}")


async def test_a_line_that_has_changed_something_by_then_is_not_passed_over(
    workspace: Path, ran: Ran
) -> None:
    write_log(workspace, "07:01 ERROR x", "    at handler", "07:02 INFO y", "07:03 INFO z")
    counted = COUNT.replace(
        "        level =", "        count['all'] = count.get('all', 0) + 1\n        level ="
    )
    on_one_line = COUNT.replace("        level =", "        count['all'] = 1; level =")

    assert "has no attribute 'group'" in (await ran(counted, is_lenient=True)).error
    assert "has no attribute 'group'" in (await ran(on_one_line, is_lenient=True)).error


async def test_a_variable_may_be_called_as_a_function_is(workspace: Path, ran: Ran) -> None:
    program = 'n = 0\nfor name in files("notes"):\n    lines = lines(name)\n    n += len(lines)\nanswer(n)'

    assert (await ran(program)).answer == 4


async def test_a_table_is_there_by_its_name(ran: Ran) -> None:
    assert (await ran('answer([row["place"] for row in prices])')).answer == ["pool", "gym"]


async def test_what_was_asked_of_the_run_is_not_asked_again_for_lines_of_another_form(
    workspace: Path, ran: Ran
) -> None:
    write_log(workspace, "07:01 ERROR x", "    at handler", "07:02 INFO y", "07:03 INFO z")
    asked: list[object] = []

    async def serve(call: dict[str, object]) -> list[object]:
        asked.append(call)
        return []

    outcome = await ran('extract("a text", "name")\n' + COUNT, serve, is_lenient=True)

    assert outcome.error
    assert len(asked) == 1


def test_files_of_a_named_folder_that_a_pattern_leaves_out_rule_a_program_out() -> None:
    survey = Survey(paths=("in/a.txt", "in/old/b.txt", "in/old/c.md"))
    step = Step(id="program", agent="programmer", brief="Count the files in in.")
    some = Outcome(answer=1, has_answer=True, read=("in/a.txt",), listed=("in/*.txt",))
    all_of_them = some.model_copy(update={"listed": ("in/**/*",)})

    assert faults(some, Promise(step, step.brief, survey)) == [
        "1 of the 3 files of in were left out, as in/old/b.txt; files('in') names all of them"
    ]
    assert faults(all_of_them, Promise(step, step.brief, survey)) == []
