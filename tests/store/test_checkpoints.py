"""The checkpointer: LangGraph's own conformance suite, order, size, pruning and safe reading."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint
from langgraph.checkpoint.conformance import (  # pyright: ignore[reportMissingTypeStubs] - it has none
    checkpointer_test,
    validate,
)
from langgraph.checkpoint.conformance.capabilities import (  # pyright: ignore[reportMissingTypeStubs]
    ALL_CAPABILITIES,
)
from langgraph.graph import END, START, StateGraph  # pyright: ignore[reportMissingTypeStubs]

from swarm.nouns.plan import Thread
from swarm.nouns.result import Result
from swarm.store.rows.checkpoint_rows import INTERRUPT
from swarm.store.rows.checkpoints import KEEP, PRUNE_EVERY, Saver
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord

pytestmark = pytest.mark.anyio


def record() -> RunRecord:
    return RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)


def checkpoint(id: str, **values: object) -> Checkpoint:
    return {
        "v": 1,
        "id": id,
        "ts": "2026-01-01T00:00:00+00:00",
        "channel_values": dict(values),
        "channel_versions": {name: int(id) for name in values},
        "versions_seen": {},
        "updated_channels": None,
    }


def config(thread: str, id: str | None = None) -> RunnableConfig:
    named = {} if id is None else {"checkpoint_id": id}
    return {"configurable": {"thread_id": thread, "checkpoint_ns": "", **named}}


async def put(
    saver: Saver,
    thread: str,
    id: str,
    parent: str | None = None,
    source: Literal["loop", "fork"] = "loop",
    **values: object,
) -> None:
    new = checkpoint(id, **values)
    await saver.aput(
        config(thread, parent), new, {"source": source, "step": 1, "parents": {}}, new["channel_versions"]
    )


async def ids(saver: Saver, thread: str) -> list[str]:
    return [item.checkpoint["id"] async for item in saver.alist(config(thread))]


async def test_it_passes_every_part_of_the_conformance_suite_of_langgraph(tmp_path: Path) -> None:
    numbers = itertools.count()

    @checkpointer_test(name="Saver")
    async def saver() -> AsyncGenerator[Saver]:
        async with Journal.open(tmp_path / f"{next(numbers)}.db", record=record()) as journal:
            yield journal.saver

    report = await validate(saver)
    failures = {name: result.failures for name, result in report.results.items() if not result.passed}
    assert failures == {}
    assert set(report.results) == {capability.value for capability in ALL_CAPABILITIES}


async def test_the_last_checkpoint_is_the_one_recorded_last_even_when_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await put(journal.saver, "a", "9", value=1)
        await put(journal.saver, "a", "3", parent="9", value=2)
        last = await journal.saver.aget_tuple(config("a"))
        assert last is not None
        assert last.checkpoint["channel_values"] == {"value": 2}
        assert await ids(journal.saver, "a") == ["3", "9"]


async def test_a_large_channel_value_is_stored_once_for_all_checkpoints_that_hold_it(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        text = "long " * 10_000
        first = checkpoint("1", text=text)
        meta: Any = {"source": "loop", "step": 1, "parents": {}}
        await journal.saver.aput(config("a"), first, meta, {"text": 1})
        for id in range(2, 12):
            later = checkpoint(str(id), text=text, count=id)
            later["channel_versions"]["text"] = 1
            await journal.saver.aput(config("a", str(id - 1)), later, meta, {"count": id})
        last = await journal.saver.aget_tuple(config("a"))
        assert last is not None
        assert last.checkpoint["channel_values"] == {"text": text, "count": 11}
    assert (tmp_path / "r.db").stat().st_size < 4 * len(text)


async def test_a_long_thread_keeps_its_first_and_last_checkpoints_and_their_values(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        for id in range(1, 2 * PRUNE_EVERY + 1):
            await put(journal.saver, "a", str(id), parent=str(id - 1) if id > 1 else None, value=["x", id])
        kept = await ids(journal.saver, "a")
        last = await journal.saver.aget_tuple(config("a"))
        assert last is not None
        assert kept == [*(str(2 * PRUNE_EVERY - back) for back in range(KEEP)), "1"]
        assert last.checkpoint["channel_values"] == {"value": ["x", 2 * PRUNE_EVERY]}


async def test_a_long_thread_keeps_what_was_interrupted_and_both_ends_of_a_fork(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        for id in range(1, 10):
            await put(journal.saver, "a", str(id), parent=str(id - 1) if id > 1 else None)
        await journal.saver.aput_writes(config("a", "5"), [(INTERRUPT, "approve?")], "task")
        await put(journal.saver, "a", "20", parent="3", source="fork")
        for id in range(21, 21 + 3 * PRUNE_EVERY):
            await put(journal.saver, "a", str(id), parent=str(id - 1))
        middle = [id for id in await ids(journal.saver, "a") if int(id) <= 20]
        assert middle == ["20", "5", "3", "1"]


async def test_an_ended_thread_keeps_its_first_and_its_last_checkpoint(tmp_path: Path) -> None:
    thread = Thread(run="r", step="notes")
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        for number, ended in enumerate((thread, Thread(run="r", step="other"))):
            await play(journal.saver, {"count": number}, thread=str(ended))
        journal.note_result(thread, Result(text="done"))
        assert len(await ids(journal.saver, "r/other/-/1")) == 6
        kept = [item async for item in journal.saver.alist(config(str(thread)))]
        assert [item.metadata.get("source") for item in kept] == ["loop", "input"]
        assert kept[0].checkpoint["channel_values"] == {"count": 5}


async def test_pruning_keeps_the_checkpoints_of_a_graph_with_delta_channels(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        meta: Any = {
            "source": "loop",
            "step": 1,
            "parents": {},
            "counters_since_delta_snapshot": {"log": (1, 1)},
        }
        for id in range(1, PRUNE_EVERY + 2):
            await journal.saver.aput(config("a"), checkpoint(str(id)), meta, {})
        await journal.saver.aprune(["a"], strategy="keep_latest")
        assert len(await ids(journal.saver, "a")) == PRUNE_EVERY + 1


async def test_writes_of_a_checkpoint_that_is_recorded_later_survive_a_pruning(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await put(journal.saver, "a", "1", value=1)
        await put(journal.saver, "a", "2", value=2)
        await journal.saver.aput_writes(config("a", "3"), [("value", 3)], "task")
        await journal.saver.aprune(["a"])
        await put(journal.saver, "a", "3", value=2)
        last = await journal.saver.aget_tuple(config("a"))
        assert last is not None
        assert last.pending_writes == [("task", "value", 3)]


async def test_two_forks_never_give_one_version_to_two_values(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        version = journal.saver.get_next_version(None, None)
        one = journal.saver.get_next_version(version, None)
        other = journal.saver.get_next_version(version, None)
        assert version < min(one, other)
        assert one != other


async def test_a_stored_row_cannot_name_code_to_be_run(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        await put(journal.saver, "a", "1", value=[record()])
        last = await journal.saver.aget_tuple(config("a"))
        assert last is not None
        [value] = last.checkpoint["channel_values"]["value"]
        assert not isinstance(value, RunRecord)


async def test_the_synchronous_methods_say_that_it_is_async_only(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        with pytest.raises(NotImplementedError, match="get_tuple: this checkpointer is async only"):
            journal.saver.get_tuple(config("a"))


class Count(TypedDict):
    count: int


async def step(state: Count) -> Count:
    return {"count": state["count"] + 1}


def more(state: Count) -> str:
    return "step" if state["count"] % 5 else END


async def play(saver: Saver, start: Count | None, *, thread: str = "r/notes/-/1", **options: Any) -> object:
    graph: Any = StateGraph(Count)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", more)
    where = {"configurable": {"thread_id": thread}}
    return await graph.compile(checkpointer=saver).ainvoke(start, where, durability="sync", **options)


async def test_a_graph_resumes_from_the_file_of_a_closed_journal(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    async with Journal.open(path, record=record()) as journal:
        stopped = await play(journal.saver, {"count": 0}, interrupt_before=["step"])
        assert stopped == {"count": 0}
    async with Journal.open(path) as journal:
        assert await play(journal.saver, None) == {"count": 5}
