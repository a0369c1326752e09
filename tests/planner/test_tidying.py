"""The faults of a small model's plan that are mended by rule."""

from __future__ import annotations

from swarm.card import AgentCard
from swarm.planner.draft import Draft, DraftStep, files_to_write
from swarm.planner.tidy import Ground, task_columns, tidy
from swarm.survey import Survey, TableGroup, TextGroup

CARDS = {
    "reader": AgentCard(name="reader", description="reads texts"),
    "analyst": AgentCard(name="analyst", description="queries tables", tables="queried"),
}
SURVEY = Survey(
    paths=("notes/a.md", "notes/b.md"),
    texts=(TextGroup(pattern="notes/*.md", paths=("notes/a.md", "notes/b.md")),),
    tables=(TableGroup(name="visits", pattern="visits/*.csv", columns=("shop", "visitors")),),
    database_tables=(TableGroup(name="shops", pattern="shops.db", columns=("shop", "city")),),
)


def _tidied(task: str, *steps: DraftStep) -> tuple[DraftStep, ...]:
    return tidy(Draft(steps=steps), Ground(task, SURVEY, CARDS)).steps


def test_a_need_that_is_no_earlier_step_is_dropped() -> None:
    (only,) = _tidied(
        "Read.", DraftStep(id="a", agent="reader", brief="Read notes/a.md", needs=("shops.db", "a"))
    )
    assert only.needs == ()


def test_a_second_step_of_one_id_gets_a_number() -> None:
    first, second = (DraftStep(id="a", agent="reader", brief="Read notes/a.md") for _ in range(2))
    assert [step.id for step in _tidied("Read.", first, second)] == ["a", "a_2"]


def test_an_item_without_an_each_becomes_the_table_that_is_meant() -> None:
    step = DraftStep(
        id="places", agent="analyst", brief="Read {item} for the city", columns=("shop:text", "city:text")
    )
    (only,) = _tidied("Which cities?", step)
    assert only.brief == "Read shops for the city"


def test_an_each_without_an_item_gets_one() -> None:
    (only,) = _tidied(
        "Read.", DraftStep(id="a", agent="reader", each="notes/*.md", brief="List the actions.")
    )
    assert only.brief == "For {item}: List the actions."


def test_a_table_made_of_tables_goes_to_the_agent_that_queries() -> None:
    facts = DraftStep(
        id="facts", agent="reader", each="notes/*.md", brief="Read {item}", columns=("who:text",)
    )
    count = DraftStep(id="count", agent="reader", brief="Count who", needs=("facts",), columns=("who:text",))
    assert [step.agent for step in _tidied("Count.", facts, count)] == ["reader", "analyst"]


def test_a_file_goes_to_the_step_whose_columns_the_task_lists() -> None:
    task = "List all actions in actions.csv with owner, action and due date. Who has most?"
    facts = DraftStep(
        id="facts",
        agent="reader",
        each="notes/*.md",
        brief="Read {item}",
        columns=("owner:text", "action:text", "due:date"),
    )
    most = DraftStep(
        id="most",
        agent="analyst",
        brief="Count",
        needs=("facts",),
        columns=("owner:text", "actions:number"),
        writes="actions.csv",
    )
    first, second = _tidied(task, facts, most)
    assert (first.writes, second.writes) == ("actions.csv", "")
    assert first.columns == ("owner:text", "action:text", "due_date:date")


def test_a_file_without_listed_columns_goes_to_the_last_table() -> None:
    plan = DraftStep(id="plan", agent="analyst", brief="Plan", columns=("shop:text",), writes="behind.csv")
    behind = DraftStep(id="behind", agent="analyst", brief="Compare", needs=("plan",), columns=("shop:text",))
    assert [step.writes for step in _tidied("Put it in behind.csv.", plan, behind)] == ["", "behind.csv"]


def test_columns_are_read_from_the_words_after_the_file() -> None:
    task = "Write out.csv with region, the month and reported total. Which is wrong?"
    assert task_columns("out.csv", task) == ["region", "month", "reported_total"]
    assert task_columns("out.csv", "Write out.csv. Be quick with it, and good.") == []
    assert task_columns("other.csv", task) == []


def test_files_to_write_are_those_named_and_not_there() -> None:
    task = "Compare a.csv with b.csv and write out/c.json, never /etc/d.txt."
    assert files_to_write(task, ["a.csv", "b.csv"]) == ["out/c.json"]


def test_a_file_that_no_step_writes_is_written_by_the_step_that_has_its_columns() -> None:
    facts = DraftStep(
        id="facts",
        agent="reader",
        each="notes/*.md",
        brief="Read {item}",
        columns=("owner:text", "action:text"),
    )
    most = DraftStep(
        id="most", agent="analyst", brief="Count", needs=("facts",), columns=("owner:text", "number:number")
    )
    task = "List all actions in actions.csv with owner and action. Who has most?"
    assert [step.writes for step in _tidied(task, facts, most)] == ["actions.csv", ""]
