"""How long a plan should take, and when one agent does as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.models.model import Endpoint
from swarm.models.servers.profile import Profile, keep
from swarm.nouns.card import AgentCard
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.run.direct import Ground, direct
from swarm.run.forecast import HIGH, LOW, Speeds, forecast, sizes_of, speeds_of
from swarm.view.timing_words import forecast_words

ENDPOINT = Endpoint(kind="llamacpp", model="small", url="http://127.0.0.1:9", slots=2)
SPEEDS = Speeds(prefill=100.0, writing={1: 10.0})
CARDS = {
    "writer": AgentCard(name="writer", description="Writes."),
    "researcher": AgentCard(name="researcher", description="Reads."),
    "analyst": AgentCard(name="analyst", description="Counts.", tables="queried"),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, size in (("a", 300), ("b", 600), ("c", 900)):
        (tmp_path / f"{name}.md").write_text("x" * size, encoding="utf-8")
    return tmp_path


def ground(workspace: Path, *, slots: int = 1, speeds: Speeds | None = SPEEDS, window: int = 8_192) -> Ground:
    return Ground("Sum the notes up.", CARDS, workspace, window, slots, speeds)


def fan(*more: Step) -> Plan:
    each = Step(id="each", agent="writer", each="*.md", brief="Sum {item} up.")
    return Plan(steps=(each, *more))


JOIN = Step(id="join", agent="writer", needs=("each",), brief="Join them.")


def test_one_agent_takes_its_prompt_and_its_reply() -> None:
    plan = Plan(steps=(Step(id="look", agent="writer", brief="Look."),))
    found = forecast(plan, SPEEDS, 1, {"look": [0]})
    assert found.low_seconds == LOW.prefilled / 100 + LOW.written / 10
    assert found.high_seconds == HIGH.prefilled / 100 + HIGH.written / 10
    assert forecast_words(found, "small") == "about 7 to 14 seconds on 1 slot, 1 sub-agent"


def test_more_slots_make_it_shorter_until_a_chain_is_left(files: Path) -> None:
    plan = fan(JOIN)
    times = [forecast(plan, SPEEDS, slots, sizes_of(plan, files)).low_seconds for slots in (1, 2, 99)]
    assert times[0] > times[1] == times[2]


def test_slots_that_are_known_to_share_one_speed_make_nothing_shorter(files: Path) -> None:
    shared = Speeds(prefill=100_000.0, writing={1: 10.0, 2: 10.0})
    plan = Plan(steps=(Step(id="each", agent="writer", each="[ab].md", brief="Sum {item} up."),))
    one = forecast(plan, shared, 1, sizes_of(plan, files))
    two = forecast(plan, shared, 2, sizes_of(plan, files))
    assert two.low_seconds == pytest.approx(one.low_seconds, rel=0.01)


def test_a_list_that_is_not_made_yet_is_said_to_be_open() -> None:
    listed = Step(id="list", agent="writer", brief="List three.", expects={"type": "array"})
    plan = Plan(steps=(listed, Step(id="each", agent="writer", each="list", brief="Do {item}.")))
    words = forecast_words(forecast(plan, SPEEDS, 2, {"list": [0], "each": [0]}), "small")
    assert words.startswith("at least about ")
    assert words.endswith("2 sub-agents and more: it shows later how many items each has")


def test_without_a_speed_there_is_no_forecast_but_a_way_to_one() -> None:
    assert speeds_of(ENDPOINT, Usage()) is None
    assert forecast_words(None, "small").endswith("swarm doctor --probe small")


def test_replies_so_far_tell_the_speeds_where_no_profile_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's state folder is named by the environment alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    spent = Usage(prefilled_tokens=200, written_tokens=50, model_seconds=9.0, prefill_seconds=4.0)
    assert speeds_of(ENDPOINT, spent) == Speeds(50.0, {1: 10.0})
    keep(
        Profile(
            model="small",
            url=ENDPOINT.url,
            prefill_tokens_per_second=80.0,
            decode_tokens_per_second={1: 20.0, 2: 30.0},
        ),
        ENDPOINT,
    )
    assert speeds_of(ENDPOINT, spent) == Speeds(80.0, {1: 20.0, 2: 30.0})


def test_a_chain_of_one_role_that_hands_over_words_is_run_by_one_agent(tmp_path: Path) -> None:
    plan = Plan(
        steps=(
            Step(id="read", agent="writer", brief="Read it."),
            Step(id="tell", agent="writer", brief="Tell it.", needs=("read",)),
        )
    )
    found = direct(plan, ground(tmp_path, speeds=None))
    assert found is not None
    assert [(step.agent, step.brief) for step in found[0].steps] == [("writer", "Sum the notes up.")]
    assert found[1] == "a chain of 2 steps of one role gains nothing from several agents"


TABLE = table_schema(["name:text"])


@pytest.mark.parametrize(
    "change",
    [
        {"agent": "researcher"},
        {"agent": "analyst"},
        {"expects": TABLE},
        {"writes": "a.md"},
        {"needs": ()},
    ],
    ids=["another role", "queried", "typed", "a file", "side by side"],
)
def test_a_plan_with_steps_that_are_more_than_words_stays(tmp_path: Path, change: dict[str, object]) -> None:
    read = Step(id="read", agent="writer", brief="Read it.")
    tell = Step(id="tell", agent="writer", brief="Tell it.", needs=("read",)).model_copy(update=change)
    assert direct(Plan(steps=(read, tell)), ground(tmp_path)) is None


def test_a_fan_out_that_takes_no_less_time_is_run_by_one_agent(files: Path) -> None:
    found = direct(fan(JOIN), ground(files))
    assert found is not None
    assert found[0].steps[0].brief == "Sum the notes up. The files: a.md, b.md, c.md."
    assert found[1] == "3 agents would take no less time than one that reads all 3 files"


def test_a_fan_out_stays_where_it_pays_is_wide_large_or_nothing_is_known(files: Path) -> None:
    plan = fan(JOIN)
    assert direct(plan, ground(files, speeds=None)) is None
    assert direct(plan, ground(files, window=1_024)) is None
    assert direct(fan(), ground(files)) is None
    for name in "abc":
        (files / f"{name}.md").write_text("x" * 1_900, encoding="utf-8")
    slow_to_read = Speeds(prefill=2.0, writing={1: 10.0, 3: 30.0})
    assert direct(plan, ground(files, speeds=slow_to_read)) is not None
    assert direct(plan, ground(files, slots=3, speeds=slow_to_read)) is None
    (files / "d.md").write_text("x", encoding="utf-8")
    assert direct(plan, ground(files)) is None
