"""An ``each`` over files where some cannot be listed or read: its step is never done, and says which."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.nouns.tool import ToolResult
from swarm.planner.check import problems
from swarm.project.project import open_project
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_steps
from swarm.store.shelf.runs import run_path
from swarm.survey import Survey, escaped, listed
from swarm.testing import ScriptedModel
from tests.conftest import write_cards
from tests.servers.spoiled import CONTENTS, NAMES, PLACES, RAW_NAMES, Make

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("files_alone")]


class Model:
    """Gives a result at once, whatever it was told."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def __call__(self, request: Request) -> str:
        self.prompts.append("\n".join(message.content for message in request.messages))
        return json.dumps({"result": "5 euros"})


async def results(project: Path, model: Model, *steps: Step) -> Mapping[str, Result]:
    write_cards(project, reader="files.read", mover="files.read, files.move")
    limits = Limits(replans=0, attempts=1)
    async with Swarm.open(project, model=ScriptedModel(model), limits=limits) as swarm:
        run: Run[str] = await swarm.start("Tell of the files.", plan=Plan(steps=steps))
        answer = await run.answer()
    return read_steps(run_path(project, answer.run))


def each(id: str, pattern: str, agent: str = "reader") -> Step:
    return Step(id=id, agent=agent, each=pattern, brief="Tell of {item}.")


def with_name(name: bytes) -> Make:
    def make(path: Path) -> None:
        (path.parent / os.fsdecode(name)).write_text("text\n", encoding="utf-8")

    return make


FAULTS: list[Make] = [
    *PLACES.values(),
    *CONTENTS.values(),
    *(with_name(name) for name in [*(name.encode() for name in NAMES), *RAW_NAMES]),
]


async def test_no_step_over_files_is_done_where_one_of_them_cannot_be_read(tmp_path: Path) -> None:
    for number, make in enumerate(FAULTS):
        folder = tmp_path / f"in{number}" / "notes"
        folder.mkdir(parents=True)
        (folder / "good.md").write_text("The kettle.\n", encoding="utf-8")
        make(folder / "bad.md")

    steps = [each(f"s{number}", f"in{number}/notes/*.md") for number in range(len(FAULTS))]
    ended = await results(tmp_path, Model(), *steps)

    assert len(FAULTS) >= 20
    assert {id: result.status for id, result in ended.items()} == {step.id: "degraded" for step in steps}
    assert all(f"in{id[1:]}/notes/" in result.reason for id, result in ended.items())


@pytest.mark.parametrize(
    "name", ["a pattern of nothing", "a dangling link", "a FIFO", "a folder", "a picture"]
)
async def test_a_step_whose_only_file_cannot_be_read_fails(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    if name in FAULT_OF:
        FAULT_OF[name](tmp_path / "in" / "bad.md")

    ended = await results(tmp_path, Model(), each("one", "in/*.md"))

    assert ended["one"].status == "failed"
    assert "in/" in ended["one"].reason


FAULT_OF = PLACES | CONTENTS


async def test_an_agent_that_may_act_keeps_its_tools_and_is_told_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.md").write_text("The kettle.\n", encoding="utf-8")
    (tmp_path / "in" / "bad.md").write_bytes(b"\x89PNG\0")
    model = Model()

    ended = await results(tmp_path, model, each("read", "in/good.md"), each("move", "in/*.md", "mover"))

    reading, *moving = sorted((prompt for prompt in model.prompts if "Tell of in/" in prompt), key=_offers)
    assert "files.move" not in reading
    assert "Text of in/good.md:\nThe kettle." in reading
    assert all("files.move" in prompt for prompt in moving)
    assert any("Text of in/good.md:\nThe kettle." in prompt for prompt in moving)
    assert any("Reading in/bad.md failed: it holds NUL bytes" in prompt for prompt in moving)
    assert ended["read"].status == "done"


def _offers(prompt: str) -> bool:
    return "files.move" in prompt


async def test_folders_with_brackets_in_their_names_are_gone_through(tmp_path: Path) -> None:
    (tmp_path / "notes [2024]").mkdir()
    for name in ("a", "b"):
        (tmp_path / "notes [2024]" / f"{name}.md").write_text("5 euros\n", encoding="utf-8")

    plain, spelt = "notes [2024]/*.md", escaped("notes [2024]") + "/*.md"
    ended = await results(tmp_path, Model(), each("plain", plain), each("spelt", spelt))

    assert spelt == "notes [[]2024]/*.md"
    assert [ended[id].text for id in ("plain", "spelt")] == ["2 rows from 2 of 2"] * 2
    survey = Survey(paths=("notes [2024]/a.md",))
    cards = open_project(tmp_path).cards
    for pattern in (plain, spelt):
        assert problems(Plan(steps=(each("one", pattern),)), cards, survey) == []


@pytest.mark.parametrize(
    ("found", "paths", "lacks"),
    [
        (ToolResult(text="a.md", data=["a.md"]), ("a.md",), ""),
        (ToolResult(text="", data={"result": ["a.md"], "left_out": ["b", "c"]}), ("a.md",), "b; c"),
        (ToolResult(text="no such folder", is_error=True), (), "no such folder"),
        (ToolResult(text="the answer has 2,070,546 characters"), (), "but: the answer has 2,070,546"),
        (ToolResult(text="", data={"result": "a.md"}), (), "gave no list"),
        (ToolResult(text="", data=[1]), (), "gave no list"),
        (ToolResult(text="", data={"result": None, "left_out": ["b"]}), (), "gave no list"),
    ],
)
def test_a_listing_is_its_paths_and_what_they_lack(
    found: ToolResult, paths: tuple[str, ...], lacks: str
) -> None:
    assert listed(found)[0] == paths
    assert lacks in listed(found)[1]
    assert bool(lacks) == bool(listed(found)[1])


def test_a_survey_says_that_files_are_not_listed_and_refuses_no_plan_for_it(tmp_path: Path) -> None:
    survey = Survey(unlisted="'data' holds too much to look at in one call")
    write_cards(tmp_path, reader="files.read")

    assert survey.lines().endswith(f"\nNot all files are listed: {survey.unlisted}")
    assert problems(Plan(steps=(each("one", "a/*.md"),)), open_project(tmp_path).cards, survey) == []
    assert problems(Plan(steps=(each("one", "a/*.md"),)), open_project(tmp_path).cards, Survey()) != []
