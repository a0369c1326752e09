"""The faults of a small model's plan that are mended by rule."""

from __future__ import annotations

import pytest

from benchmarks.plan_tasks.task import draft_of
from benchmarks.plans import short
from swarm.nouns.card import AgentCard
from swarm.planner.draft import Draft, DraftStep, files_to_write, to_plan
from swarm.planner.task_columns import task_columns
from swarm.planner.tidy import Draftable, tidy
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
    return tidy(Draft(steps=steps), Draftable(task, SURVEY, CARDS)).steps


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
    assert task_columns("out.csv", "Put it in out.csv (meter, old, new).") == ["meter", "old", "new"]
    assert task_columns("out.csv", "Put it in out.csv, with the sum and the date of the letter.") == [
        "sum",
        "date",
    ]


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


TEAM = {
    "analyst": AgentCard(name="analyst", description="queries tables", tables="queried"),
    "generalist": AgentCard(
        name="generalist", description="does all", tools=("files.read", "files.write", "files.move")
    ),
    "reader": AgentCard(name="reader", description="reads texts", tools=("files.read",)),
    "writer": AgentCard(name="writer", description="writes prose"),
}
LETTERS = Survey(
    paths=("letters/a.txt", "letters/b.txt", "rules.md"),
    texts=(
        TextGroup(pattern="letters/*.txt", paths=("letters/a.txt", "letters/b.txt")),
        TextGroup(pattern="rules.md", paths=("rules.md",)),
    ),
)


def _mended(task: str, *lines: str) -> list[str]:
    return short(to_plan(tidy(draft_of(lines), Draftable(task, LETTERS, TEAM)))).split(" ⏎ ")


def test_two_steps_that_take_different_facts_of_the_same_texts_are_one() -> None:
    assert _mended(
        "List the senders and dates.",
        "senders reader each=letters/*.txt cols=sender -- Read {item} and give the sender.",
        "days reader each=letters/*.txt cols=day -- Read {item} and give the day.",
        "both analyst needs=senders,days cols=sender,day -- Join senders and days.",
    ) == [
        "senders reader each=letters/*.txt cols=sender:text,day:text -- Read {item} and give the sender. Read {item} and give the day.",
        "both analyst needs=senders cols=sender:text,day:text -- Join senders and days.",
    ]


def test_two_steps_that_look_for_the_same_columns_in_the_same_texts_stay_apart() -> None:
    lines = (
        "praise reader each=letters/*.txt cols=sender:text -- Read {item} and give who praises.",
        "blame reader each=letters/*.txt cols=sender:text -- Read {item} and give who complains.",
    )
    assert _mended("Who praises, who complains?", *lines) == list(lines)


def test_prose_about_a_single_text_is_written_by_one_agent() -> None:
    assert _mended("Reword rules.md.", "polite writer each=rules.md -- Reword {item}.") == [
        "polite writer -- Reword rules.md."
    ]


def test_a_step_for_each_of_what_is_no_list_just_needs_it() -> None:
    lines = ("mood writer -- Tell the mood of rules.md.", "reply writer each=mood -- Reply to {item}.")
    assert _mended("Reply to rules.md.", *lines)[1] == "reply writer needs=mood -- Reply to mood."


def test_a_table_of_texts_that_are_only_named_by_their_folder_is_read_from_each() -> None:
    assert _mended("List the senders.", "senders writer cols=sender -- List the senders in letters/.") == [
        "senders writer each=letters/*.txt cols=sender:text -- For {item}: List the senders in letters/."
    ]


def test_prose_about_texts_that_no_step_reads_gets_a_step_that_reads_each() -> None:
    assert _mended(
        "Sum up letters/ in sum.md.", "sum writer writes=sum.md -- Sum up letters/ on a page."
    ) == [
        "texts reader each=letters/*.txt -- Read {item} and give what matters of it for this: Sum up letters/ on a page.",
        "sum writer needs=texts writes=sum.md -- Sum up letters/ on a page.",
    ]


def test_texts_are_not_given_to_an_agent_that_only_queries() -> None:
    (step,) = _mended("List.", "senders analyst each=letters/*.txt cols=sender -- Read {item}.")
    assert step.startswith("senders reader ")


def test_a_table_file_is_written_from_the_table_the_step_needs() -> None:
    read = "found reader each=letters/*.txt cols=sender:text,fee:number -- Read {item}."
    _, step = _mended(
        "Who pays? Save it to fees.json.", read, "fees writer needs=found writes=fees.json -- Write who pays."
    )
    assert step == "fees analyst needs=found cols=sender:text,fee:number writes=fees.json -- Write who pays."


def test_a_file_stays_where_no_other_step_has_most_of_its_columns() -> None:
    read = "found reader each=letters/*.txt cols=member:text,day:date -- Read {item}."
    late = "late analyst needs=found cols=member:text writes=late.csv -- Give the late ones of found."
    _, step = _mended(
        "Put the late ones in late.csv, with the name, the sum and the day of the letter.", read, late
    )
    assert step.startswith("late analyst needs=found cols=name:text,sum:text,day:date writes=late.csv")


def test_renaming_is_given_whole_to_the_agent_that_can_move_files() -> None:
    task = "Rename the letters after their senders."
    assert _mended(task, "names reader each=letters/*.txt cols=name -- Read {item} and rename it.") == [
        f"names generalist -- {task}"
    ]


def test_a_file_that_only_the_draft_names_stays_with_the_step_that_has_it() -> None:
    read = "totals reader each=letters/*.txt cols=product:text,total:number writes=totals.csv -- Read {item}."
    most = "highest analyst needs=totals cols=product:text,total:number -- Give the three highest of totals."
    task = "Which three products have the highest totals? Write report.md."
    first, second = _mended(task, read, most)
    assert first.endswith("writes=totals.csv -- Read {item}.")
    assert "writes=" not in second


@pytest.mark.parametrize(
    ("task", "owner"),
    [
        ("Write totals.csv. Which three products are highest?", 0),
        ("Write the totals to totals.csv and name the highest.", 0),
        ("Put the three highest into highest.csv.", 1),
        ("Write out/totals.csv of all letters, then the three highest.", 0),
        ("Put it into result.csv.", 1),
        ("Write all.csv with product, total and shop. Then the highest.", 0),
    ],
)
def test_a_file_that_the_task_names_goes_to_the_step_that_is_called_like_it_or_has_its_columns(
    task: str, owner: int
) -> None:
    file = next(word.strip(".") for word in task.split() if ".csv" in word)
    steps = [
        DraftStep(
            id="totals",
            agent="reader",
            each="letters/*.txt",
            brief="Read {item}.",
            columns=("product:text", "total:number", "shop:text"),
            writes=file,
        ),
        DraftStep(
            id="highest",
            agent="analyst",
            needs=("totals",),
            brief="Give the three highest of totals.",
            columns=("product:text",),
        ),
    ]
    written = [step.writes for step in _tidied(task, *steps)]
    assert written == [file if number == owner else "" for number in range(2)]
