"""What a step builds on and what it promised to write: nothing is done that lacks either."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ModelUnavailable
from swarm.nouns.card import AgentCard
from swarm.nouns.events import StepEnded
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.planner.draft import table_schema
from swarm.run.promise import broken
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = pytest.mark.anyio

TABLE = table_schema(["name:text", "total:number"])
ROWS: list[dict[str, JsonValue]] = [{"name": "Ana", "total": 3}, {"name": "Ben", "total": 4}]
GOOD = "name,total\nAna,3\nBen,4\n"


def step(**more: object) -> Step:
    return Step.model_validate({"id": "totals", "agent": "writer", "brief": "Sum.", **more})


def table(path: str = "out.csv") -> Step:
    return step(expects=TABLE, writes=path)


def rows(number: int = 2) -> Result:
    return Result(data=[*ROWS[:number]])


FAULTS: dict[str, tuple[Step, Result, str | bytes | None, str]] = {
    "missing": (table(), rows(), None, "is not there"),
    "empty": (table(), rows(), "", "is empty"),
    "blank": (table(), rows(), "\n  \n", "is empty"),
    "a column less": (table(), rows(), "name\nAna\nBen\n", "lacks the column 'total'"),
    "another column": (table(), rows(), "name,sum\nAna,3\nBen,4\n", "lacks the column 'total'"),
    "a column more": (table(), rows(), "name,total,x\nAna,3,1\nBen,4,1\n", "has the column 'x'"),
    "no header": (table(), rows(), "Ana,3\nBen,4\n", "lacks the columns 'name', 'total'"),
    "a row less": (table(), rows(), "name,total\nAna,3\n", "has 1 rows, and its step gave 2"),
    "a row more": (table(), rows(), GOOD + "Cid,5\n", "has 3 rows, and its step gave 2"),
    "header alone": (table(), rows(), "name,total\n", "has 0 rows, and its step gave 2"),
    "rows where there are none": (table(), rows(0), GOOD, "has 2 rows, and its step gave 0"),
    "ragged": (table(), rows(), "name,total\nAna,3,1\nBen,4\n", "row 2 has 3 cells"),
    "an open quote": (table(), rows(), 'name,total\n"Ana,3\n', "does not parse"),
    "no UTF-8": (table(), rows(), b"name,total\n\xff\xfe,3\n", "does not parse"),
    "tabs for commas": (table(), rows(), GOOD.replace(",", "\t"), "lacks the columns"),
    "a sentence as a table": (step(writes="out.csv"), Result(data="x"), "It is done.\n", "no table"),
    "other columns in tabs": (table("out.tsv"), rows(), "name\tsum\nA\t3\nB\t4\n", "lacks the column"),
    "no JSON": (table("out.json"), rows(), "[{]", "does not parse"),
    "a JSON object for rows": (table("out.json"), rows(), '{"name": "Ana"}', "holds no table"),
    "JSON rows less": (table("out.json"), rows(), json.dumps(ROWS[:1]), "has 1 rows"),
    "JSON of other keys": (table("out.json"), rows(), '[{"n": 1}, {"n": 2}]', "lacks the columns"),
    "a broken line of JSON": (table("out.jsonl"), rows(), '{"name": 1}\n{', "does not parse"),
    "lines less": (table("out.jsonl"), rows(), '{"name": "Ana", "total": 3}\n', "has 1 rows"),
    "a folder in its place": (table("folder"), rows(), None, "does not parse"),
    "an empty report": (step(writes="out.md"), Result(data="x"), "", "is empty"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("by_agent", [True, False])
def test_a_file_that_is_not_as_promised_is_never_done(tmp_path: Path, name: str, by_agent: bool) -> None:
    one, result, text, why = FAULTS[name]
    if by_agent and name == "a sentence as a table":
        pytest.skip("what an agent writes itself as a text is its own affair")
    assert one.writes
    (tmp_path / "folder").mkdir()
    if text is not None:
        (tmp_path / one.writes).write_bytes(text.encode() if isinstance(text, str) else text)
    found = broken(tmp_path, one, result, by_agent=by_agent)
    assert found is not None
    assert why in found.problem
    assert found.status in ("failed", "degraded")


FINE: dict[str, tuple[Step, Result, str]] = {
    "a table": (table(), rows(), GOOD),
    "with a mark of its coding": (table(), rows(), "\ufeff" + GOOD),
    "quoted line breaks": (table(), rows(), 'name,total\n"A\nna",3\nBen,4\n'),
    "lines of Windows": (table(), rows(), GOOD.replace("\n", "\r\n")),
    "another case": (table(), rows(), "Name,Total\nAna,3\nBen,4\n"),
    "no rows": (table(), rows(0), "name,total\n"),
    "JSON": (table("out.json"), rows(), json.dumps(ROWS)),
    "a text": (step(writes="out.md"), Result(data="x"), "All is well.\n"),
    "a table in words": (table("out.md"), rows(), "| name | total |\n| --- | --- |\n| A | 3 |\n| B | 4 |\n"),
    "a text that is a table": (step(writes="out.csv"), Result(data="x"), GOOD),
}


@pytest.mark.parametrize("name", FINE)
def test_a_file_that_is_as_promised_is_let_be(tmp_path: Path, name: str) -> None:
    one, result, text = FINE[name]
    assert one.writes
    (tmp_path / one.writes).write_text(text, encoding="utf-8", newline="")
    assert broken(tmp_path, one, result, by_agent=False) is None


def said(request: Request) -> str:
    return "\n".join(message.content for message in request.messages)


def result(data: JsonValue) -> str:
    return json.dumps({"result": data})


def call(tool: str, **args: JsonValue) -> str:
    return json.dumps({"tool": tool, "args": args})


@pytest.fixture
def folder(tmp_path: Path, files_alone: None) -> Path:
    """A project whose writer has the tools for files, and whose helper has but one for sums."""
    (tmp_path / "agents").mkdir()
    for name, tools in {"writer": "files", "helper": "calculate"}.items():
        card = AgentCard(name=name, description="Works.", tools=(tools,), instructions="Do it.")
        text = f"---\ndescription: {card.description}\ntools: [{tools}]\n---\n{card.instructions}\n"
        (tmp_path / "agents" / f"{name}.md").write_text(text, encoding="utf-8")
    return tmp_path


LIMITS = Limits(attempts=1, replans=0)
FIRST = Step(id="first", agent="helper", brief="Do the first.")


async def stand(folder: Path, plan: Plan, script: object) -> dict[str, Result]:
    """What each step came to, and that the run is not done."""
    model = ScriptedModel(script)  # type: ignore[arg-type]  # each test has a script of its own
    async with asyncio.timeout(120), Swarm.open(folder, model=model, limits=LIMITS) as swarm:
        run: Run[str] = await swarm.start("Do it all.", plan=plan)
        answer = await run.answer()
    assert answer.status in ("degraded", "failed", "paused"), answer
    assert answer.missing
    events = read_events(run_path(folder, answer.run))
    return {event.step: event.result for event in events if isinstance(event, StepEnded)}


def second(**more: object) -> Step:
    given = {"id": "second", "agent": "helper", "brief": "Do the second.", "needs": ("first",), **more}
    return Step.model_validate(given)


NEEDS: dict[str, tuple[str, Step, Step, str, str]] = {
    "failed": ('{"cannot": "no"}', FIRST, second(), "skipped", "it needs first, which failed"),
    "failed, for each": (
        '{"cannot": "no"}',
        FIRST.model_copy(update={"expects": TABLE}),
        second(needs=(), each="first", brief="Do {item}."),
        "skipped",
        "it needs first, which failed",
    ),
    "a list without rows": (
        result([]),
        FIRST.model_copy(update={"expects": TABLE}),
        second(),
        "degraded",
        "it builds on first, which gave nothing",
    ),
    "an empty list of texts": (
        result([]),
        FIRST.model_copy(update={"expects": {"type": "array", "items": {"type": "string"}}}),
        second(),
        "degraded",
        "it builds on first, which gave nothing",
    ),
    "an empty object": (
        result({}),
        FIRST.model_copy(update={"expects": {"type": "object"}}),
        second(),
        "degraded",
        "it builds on first, which gave nothing",
    ),
    "a blank text": (
        result("  "),
        FIRST.model_copy(update={"expects": {"type": "string"}}),
        second(),
        "degraded",
        "it builds on first, which gave nothing",
    ),
    "nothing to do it for": (
        result([]),
        FIRST.model_copy(update={"expects": TABLE}),
        second(needs=(), each="first", brief="Do {item}."),
        "failed",
        "there is nothing to do it for",
    ),
    "a file of nothing": (
        result([]),
        FIRST.model_copy(update={"expects": TABLE}),
        second(writes="out.md"),
        "degraded",
        "it builds on first, which gave nothing",
    ),
}


@pytest.mark.parametrize("name", NEEDS)
async def test_a_step_is_no_better_than_what_it_builds_on(folder: Path, name: str) -> None:
    reply, first, after, status, why = NEEDS[name]

    def script(request: Request) -> str:
        return reply if "Your step: Do the first." in said(request) else result("It is done.")

    results = await stand(folder, Plan(steps=(first, after)), script)
    assert results["second"].status == status
    assert why in results["second"].reason


async def test_what_builds_on_a_degraded_result_is_degraded_and_told_so(folder: Path) -> None:
    (folder / "notes").mkdir()
    for name in ("a", "b"):
        (folder / "notes" / f"{name}.md").write_text(f"{name}: fine\n", encoding="utf-8")
    first = Step(id="first", agent="writer", each="notes/*.md", brief="Do {item}.")
    prompts: list[str] = []

    def script(request: Request) -> str:
        text = said(request)
        if "Do the second." in text:
            prompts.append(text)
        return '{"cannot": "no"}' if "Your step: Do notes/b.md" in text else result("fine")

    third = second().model_copy(update={"id": "third", "needs": ("second",)})
    results = await stand(folder, Plan(steps=(first, second(), third)), script)
    assert results["second"].status == results["third"].status == "degraded"
    assert results["second"].reason == "it builds on first, which is degraded"
    assert results["third"].reason == "it builds on second, which is degraded"
    assert "Result of first (incomplete: notes/b.md: " in prompts[0]


WRITES: dict[str, tuple[Step, list[str], str]] = {
    "another name": (
        step(writes="report.md"),
        [call("files.write", path="summary.md", content="All is well."), result("See summary.md.")],
        "report.md was promised, and summary.md was written instead",
    ),
    "another folder": (
        step(writes="out/report.md"),
        [call("files.write", path="report.md", content="All is well."), result("It is written.")],
        "out/report.md was promised, and report.md was written instead",
    ),
    "a sentence for a table": (
        step(writes="totals.csv"),
        [result("The totals are in the table.")],
        "totals.csv holds a text and no table",
    ),
    "rows less than given": (
        table("totals.csv"),
        [
            call("files.write", path="totals.csv", content="name,total\nAna,3\n"),
            result([*ROWS]),
            result([*ROWS]),
        ],
        "totals.csv has 1 rows, and its step gave 2",
    ),
    "other columns than promised": (
        table("totals.csv"),
        [
            call("files.write", path="totals.csv", content="who,sum\nAna,3\nBen,4\n"),
            result([*ROWS]),
            result([*ROWS]),
        ],
        "totals.csv lacks the columns 'name', 'total'",
    ),
    "emptied": (
        step(writes="report.md"),
        [call("files.write", path="report.md", content=" "), result("It is written.")],
        "report.md is empty",
    ),
    "moved away": (
        step(writes="report.md"),
        [
            call("files.write", path="report.md", content="All is well."),
            call("files.move", path="report.md", to="old.md"),
            result("It is written."),
        ],
        "report.md",
    ),
    "given up": (step(writes="report.md"), ['{"cannot": "no"}'], "the agent gave up"),
}


@pytest.mark.parametrize("name", WRITES)
async def test_a_promised_file_that_was_not_written_as_promised_fails_its_step(
    folder: Path, name: str
) -> None:
    one, replies, why = WRITES[name]
    coming = iter(replies)

    def script(request: Request) -> str:
        return next(coming, replies[-1])

    results = await stand(folder, Plan(steps=(one,)), script)
    assert results["totals"].status in ("failed", "degraded")
    assert why in results["totals"].reason


@pytest.mark.parametrize(
    ("task", "status"), [("Files belong in the folder out. Do it.", "done"), ("Do it.", "failed")]
)
async def test_a_file_promised_by_its_name_may_lie_in_a_folder_that_the_task_names(
    folder: Path, task: str, status: str
) -> None:
    replies = iter([
        call("files.write", path="out/report.md", content="All is well."),
        result("It is written."),
    ])

    def script(request: Request) -> str:
        return next(replies, result("It is written."))

    model = ScriptedModel(script)
    async with asyncio.timeout(120), Swarm.open(folder, model=model, limits=LIMITS) as swarm:
        plan = Plan(steps=(step(writes="report.md"),))
        run: Run[str] = await swarm.start(task, plan=plan)
        answer = await run.answer()
    assert answer.status == status, answer.text
    assert not (folder / "report.md").exists()


async def test_rows_are_written_into_a_file_of_any_form_for_rows(folder: Path) -> None:
    files = ("a.csv", "b.tsv", "c.json", "d.jsonl", "e.md")
    plan = Plan(
        steps=tuple(table(file).model_copy(update={"id": file[0], "agent": "helper"}) for file in files)
    )

    def script(request: Request) -> str:
        return result([*ROWS]) if "Your step: " in said(request) else result("Ana 3, Ben 4.")

    model = ScriptedModel(script)
    async with asyncio.timeout(120), Swarm.open(folder, model=model, limits=LIMITS) as swarm:
        run: Run[str] = await swarm.start("Do it all.", plan=plan)
        answer = await run.answer()
    assert answer.status == "done", answer.text
    assert (folder / "b.tsv").read_text(encoding="utf-8") == GOOD.replace(",", "\t")
    lines = (folder / "d.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == ROWS


async def test_a_model_that_goes_away_leaves_nothing_done(folder: Path) -> None:
    def script(request: Request) -> str:
        if "Do the second." in said(request):
            raise ModelUnavailable("gone")
        return result("fine")

    results = await stand(folder, Plan(steps=(FIRST, second())), script)
    assert results["second"].status == "unfinished"


@pytest.mark.parametrize(
    ("task", "is_broken"),
    [
        ("out.json gets a JSON object with the sums.", True),
        ('Write out.json like {"total": 0}.', True),
        ('Write out.json like [{"total": 0}].', False),
        ("Write out.json, a list of objects.", False),
        ("Write out.json, a list with one object per item.", False),
        ('Write out.json as an array of {"name": "x"}.', False),
        ("Write out.json, where each object has a name.", False),
        ("Read old-out.json, an object, and write out.json.", False),
        ("Write out.json. The object of it all is peace.", False),
    ],
)
def test_a_list_is_not_the_object_that_the_task_asks_for(tmp_path: Path, task: str, is_broken: bool) -> None:
    (tmp_path / "out.json").write_text(json.dumps(ROWS), encoding="utf-8")

    found = broken(tmp_path, table("out.json"), rows(), by_agent=False, task=task)

    assert (
        found is not None and found.problem == "holds a list, and the task asks for an object"
    ) is is_broken
