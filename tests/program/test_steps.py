"""Steps that programs do, in whole runs: asked for, run, compared, put in place, recorded."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.errors import ModelError, ModelUnavailable
from swarm.nouns.events import AgentEnded, AgentStarted
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.run.answer import Answer
from swarm.run.fork import fork
from swarm.run.run import Run
from swarm.run.speedup import speedup_of
from swarm.run.swarm import Swarm
from swarm.store.shelf.beginning import place_of
from swarm.store.shelf.reader import read_events, read_run, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from swarm.view.state import RunState

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(200), pytest.mark.usefixtures("no_servers")]

SUM = """
rows = [row for rows in extract([read(name) for name in files("notes/*.txt")], "name, amount:number") for row in rows]
save("sums.csv", rows)
answer(sum(row["amount"] for row in rows))
"""
PLAN = Plan(steps=(Step(id="sums", agent="programmer", brief="Add up."),))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data" / "notes").mkdir(parents=True)
    for name, amount in {"ann": 3, "bob": 4}.items():
        (tmp_path / "data" / "notes" / f"{name}.txt").write_text(
            f"{name} spent {amount}.\n", encoding="utf-8"
        )
    (tmp_path / "agents").mkdir()
    write_card(tmp_path)
    return tmp_path


def write_card(project: Path, tools: str = "") -> None:
    card = (
        f"---\ndescription: Writes programs.\nworks: program\ntools: [{tools}]\n---\nYou write a program.\n"
    )
    (project / "agents" / "programmer.md").write_text(card, encoding="utf-8")


Programs = Callable[[int], str]


def model(programs: Programs, asked: list[str] | None = None, slots: int = 2) -> ScriptedModel:
    """Writes the program of each number, and reads what was spent."""

    def reply(request: Request) -> str:
        said = "\n".join(message.content for message in request.messages)
        if "sql(query)" in said:
            text = f"```python\n{programs(request.seed)}\n```"
            if asked is not None:
                asked.append(f"program {request.seed}")
            return text
        if "A step of its plan failed" in said:
            raise ModelError("nobody leads")
        spent = re.search(r"(\w+) spent (\d+)\.", said)
        assert spent
        if asked is not None:
            asked.append(spent[0])
        return json.dumps({"result": [{"quote": spent[0], "name": spent[1], "amount": int(spent[2])}]})

    return ScriptedModel(reply, slots=slots)


async def worked(
    project: Path, plan: Plan, model: ScriptedModel, *tools: Callable[..., object]
) -> Answer[str]:
    async with Swarm.open(project, model=model, workspace=project / "data", tools=tools) as swarm:
        run: Run[str] = await swarm.start("Add up what was spent.", plan=plan)
        return await run.answer()


async def test_candidates_that_agree_are_put_in_place_and_each_text_is_read_once(project: Path) -> None:
    asked: list[str] = []

    answer = await worked(project, PLAN, model(lambda number: SUM, asked))

    assert (answer.status, answer.text.split("\n")[0], answer.files) == ("done", "7", ("sums.csv",))
    assert (project / "data/sums.csv").read_text(encoding="utf-8") == "name,amount\nann,3\nbob,4\n"
    assert sorted(asked) == ["ann spent 3.", "bob spent 4.", "program 1", "program 2"]
    assert not (project / "data/.swarm").exists()
    kept = (project / ".swarm/programs" / answer.run / "sums.py").read_text(encoding="utf-8")
    assert kept.endswith(SUM)


async def test_what_a_task_says_of_figures_and_dates_holds_for_candidates(project: Path) -> None:
    task = "Write sums.csv with day (YYYY-MM-DD) and mean to two decimals."
    rows = ["2026-09-01 10:00", 7 / 3], ["2026-09-01", 7 / 3], ["2026-09-01", 2.33]
    saved = {
        number: f'save("sums.csv", [{{"day": {day!r}, "mean": {mean}}}])'
        for number, (day, mean) in enumerate(rows, 1)
    }
    plan = Plan(steps=(Step(id="sums", agent="programmer", brief=task),))

    async with Swarm.open(
        project, model=model(lambda n: saved[min(n, 3)]), workspace=project / "data"
    ) as swarm:
        run: Run[str] = await swarm.start(task, plan=plan)
        answer = await run.answer()

    assert answer.files == ("sums.csv",)
    assert (project / "data/sums.csv").read_text(encoding="utf-8") == "day,mean\n2026-09-01,2.33\n"
    threads = read_threads(run_path(project, answer.run))
    votes = next(thread.result.votes for thread in threads if thread.result and thread.result.votes)
    assert (votes.agreeing, votes.of, votes.winner) == (3, 4, 2)


async def test_readers_are_sub_agents_of_their_own_and_break_no_count(project: Path) -> None:
    answer = await worked(project, PLAN, model(lambda number: SUM))
    path = run_path(project, answer.run)
    events = list(read_events(path))
    state = RunState()
    for event in events:
        state.apply(event)

    readers = [event for event in events if isinstance(event, AgentEnded) and event.part]
    assert len(readers) == 2
    assert len({place_of(event) for event in events if isinstance(event, AgentStarted)}) == 3
    assert [(agent.stage, agent.attempt) for agent in state.steps["sums"].agents.values()] == [("done", 1)]
    assert state.usage == answer.usage
    assert {record.thread.part != "" for record in read_threads(path)} >= {True, False}
    speedup = speedup_of(events)
    assert 0.0 < speedup.critical_seconds <= speedup.actual_seconds


async def test_a_fork_within_a_programmed_step_asks_only_what_was_not_recorded(project: Path) -> None:
    answer = await worked(project, PLAN, model(lambda number: SUM))
    path = run_path(project, answer.run)
    first = next(event for event in read_events(path) if isinstance(event, AgentEnded) and event.part)
    (project / "data/sums.csv").unlink()
    asked: list[str] = []

    forked = await fork(path, str(first.seq))
    async with Swarm.open(
        project, model=model(lambda number: SUM, asked), workspace=project / "data"
    ) as swarm:
        resumed: Run[str] = await swarm.resume(forked.path.stem)
        again = await resumed.answer()

    assert (again.status, again.text.split("\n")[0]) == ("done", "7")
    assert (project / "data/sums.csv").is_file()
    assert len(asked) < 4
    assert read_run(forked.path).id == forked.path.stem


async def test_a_step_none_of_whose_programs_agree_fails_with_what_each_left(project: Path) -> None:
    answer = await worked(project, PLAN, model(lambda number: f"answer({number * 10})"))

    assert answer.status == "failed"
    assert "unsure: 8 of 8 programs came to an end, and no two of them agree: 1: 10; 2: 20" in "".join(
        answer.missing
    )


async def test_calls_with_an_effect_are_made_once_by_the_program_that_is_chosen(project: Path) -> None:
    sent: list[str] = []

    def send(to: str) -> str:
        """Sends a letter."""
        sent.append(to)
        return "sent"

    write_card(project, "python")
    program = 'for name in ["ann", "bob"]: tool("python.send", to=name)\nanswer("sent both")'
    answer = await worked(project, PLAN, model(lambda number: program), send)

    assert answer.status == "done"
    assert sent == ["ann", "bob"]


async def test_a_server_that_is_gone_leaves_the_step_unfinished_and_a_resume_goes_on(project: Path) -> None:
    asked: list[str] = []
    whole = model(lambda number: SUM, asked)

    def gone(request: Request) -> str:
        if not any("sql(query)" in message.content for message in request.messages):
            raise ModelUnavailable("the server is gone")
        asked.append(f"program {request.seed}")
        return f"```python\n{SUM}\n```"

    async with Swarm.open(project, model=ScriptedModel(gone, slots=1), workspace=project / "data") as swarm:
        run: Run[str] = await swarm.start("Add up what was spent.", plan=PLAN)
        first = await run.answer()
    async with Swarm.open(project, model=whole, workspace=project / "data") as swarm:
        resumed: Run[str] = await swarm.resume(first.run)
        second = await resumed.answer()

    assert first.status == "paused"
    assert (second.status, second.text.split("\n")[0]) == ("done", "7")
    assert asked.count("program 1") == 1


async def test_a_run_that_is_stopped_while_its_program_computes_ends_it_and_goes_on(project: Path) -> None:
    began = asyncio.Event()

    def started() -> str:
        """Says that it works."""
        began.set()
        return "yes"

    write_card(project, "python")
    long = Plan(
        steps=(
            Step(id="long", agent="programmer", brief="Wait.", program='tool("started")\nwhile True: pass'),
        )
    )
    async with Swarm.open(project, model="none", workspace=project / "data", tools=[started]) as swarm:
        run: Run[str] = await swarm.start("Wait.", plan=long)
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(run.answer())
            await began.wait()
            await run.stop()
            stopped = await answering

    assert stopped.status in {"stopped", "paused"}


async def test_a_given_program_works_on_tables_of_earlier_steps_and_on_items(project: Path) -> None:
    plan = Plan(
        steps=(
            Step(
                expects=table_schema(["n:text"]),
                id="names",
                agent="programmer",
                brief="Names.",
                program='answer([{"n": name} for name in files("notes/*")])',
            ),
            Step(
                id="each_one",
                agent="programmer",
                brief="{item}",
                each="names",
                program='answer(len(read(item["n"])))',
            ),
            Step(
                id="total",
                agent="programmer",
                brief="Sum.",
                needs=("each_one",),
                program='answer(sql("SELECT SUM(result) AS n FROM each_one")[0]["n"])',
            ),
        )
    )

    async with Swarm.open(project, model="none", workspace=project / "data") as swarm:
        run: Run[str] = await swarm.start("Count.", plan=plan)
        answer = await run.answer()

    assert (answer.status, answer.text) == ("done", "26")
    assert answer.usage.model_calls == 0
