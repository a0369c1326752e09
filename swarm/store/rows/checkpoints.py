"""LangGraph's checkpointer in the run's own file: ordered by recording, each channel value stored once.

Importing it loads LangGraph, so ``Journal.open`` does that, after it has asked for strict reading.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from sqlalchemy import Connection

from swarm.store.rows import checkpoint_rows as rows
from swarm.store.rows.checkpoint_rows import Place, Stored
from swarm.store.rows.tables import ADD_WRITE, SAVE_CHANNEL, SAVE_CHECKPOINT, SAVE_WRITE, Insert
from swarm.store.rows.writer import Writer

KEEP = 4
"""Last checkpoints of a thread that stay; a resume needs the last one."""

PRUNE_EVERY = 64
"""Checkpoints of a thread between two prunings."""

INLINE_CHARS = 64
"""Longest text that stands in the checkpoint itself; a row of its own would cost more."""

_DELTA = "counters_since_delta_snapshot"
"""In the metadata of a graph whose channels are rebuilt from earlier checkpoints."""


class Saver(BaseCheckpointSaver[int]):
    """Checkpoints of a run's graphs. Async only; ``thread_id`` is ``str(thread)``.

    It orders by recording and never by the clock in a checkpoint's id. As a run goes it keeps of a
    thread the first checkpoint, the last few, those that were interrupted and the ends of forks (all
    of them where a graph has delta channels, which read their past).
    """

    def __init__(self, writer: Writer, known: set[str]) -> None:
        super().__init__(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        self._writer = writer
        self._known = known
        """Threads that have checkpoints: asking for another one costs no query."""
        self._since_pruning: dict[Place, int] = {}

    def get_next_version(self, current: int | None, channel: None) -> int:
        """The version after ``current``: a counter above 32 random bits.

        The bits keep two forks of a thread from giving one version to two values.
        """
        count = (current or 0) >> 32
        return ((count + 1) << 32) | secrets.randbits(32)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that ``config`` names, or the thread's last one."""
        place, id = _place(config), _checkpoint_id(config)
        if place.thread not in self._known:
            return None
        stored = await self._writer.do(lambda connection: rows.find(connection, place, id))
        return self._tuple(stored) if stored else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """The checkpoints that match, the last one first."""
        wanted = rows.Wanted(
            thread=_configurable(config).get("thread_id"),
            ns=_configurable(config).get("checkpoint_ns"),
            id=_checkpoint_id(config),
            before=_checkpoint_id(before),
        )
        found = await self._writer.do(lambda connection: rows.search(connection, wanted))
        for item in islice(self._matching(found, filter or {}), limit):
            yield item

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Records a checkpoint: readable at once, durable before any later journal row is.

        Nothing waits for it: the journal is what a resume reads, and it is never behind.
        """
        place = _place(config)
        values = checkpoint["channel_values"]
        told = get_checkpoint_metadata(config, metadata)
        inline = {name: value for name, value in values.items() if _is_small(value)}
        kind, body = self.serde.dumps_typed([{**checkpoint, "channel_values": inline}, told])
        apart = [name for name in new_versions if name in values and name not in inline]
        channels = [self._channel(place, name, str(new_versions[name]), values[name]) for name in apart]
        row = place._asdict() | {
            "id": checkpoint["id"],
            "parent": _checkpoint_id(config),
            "graph_run": told.get("run_id"),
            "kind": kind,
            "body": body,
            "pinned": int(told.get("source") != "loop"),
        }
        self._known.add(place.thread)
        self._writer.post(*channels, (SAVE_CHECKPOINT, row))
        if _DELTA not in told:
            await self._prune_now_and_then(place)
        return _config(place, checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Records what a task wrote after a checkpoint, as ``aput`` does."""
        place, checkpoint = _place(config), _checkpoint_id(config)
        inserts: list[Insert] = []
        for index, (channel, value) in enumerate(writes):
            position = WRITES_IDX_MAP.get(channel, index)
            kind, data = self.serde.dumps_typed(value)
            row = place._asdict() | {
                "checkpoint": checkpoint,
                "task": task_id,
                "position": position,
                "path": task_path,
                "channel": channel,
                "kind": kind,
                "value": data,
            }
            # A special write (an error, an interrupt) replaces the one before; others stay.
            inserts.append((SAVE_WRITE if position < 0 else ADD_WRITE, row))
        if inserts:
            self._writer.post(*inserts)

    async def adelete_thread(self, thread_id: str) -> None:
        """Removes all checkpoints of a thread."""
        await self._writer.do(lambda connection: rows.delete_thread(connection, thread_id))
        self._known.discard(thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Removes the checkpoints that these graph runs made."""
        await self._writer.do(lambda connection: rows.delete_graph_runs(connection, run_ids, self._versions))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copies all checkpoints of a thread to another, in their order."""
        await self._writer.do(lambda connection: rows.copy(connection, source_thread_id, target_thread_id))
        self._known.add(target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Removes all checkpoints of the threads but the last of each namespace, or all (``delete``).

        A graph with delta channels keeps its checkpoints: the last one reads them.

        Raises:
            ValueError: no such strategy.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"no such strategy: {strategy!r}; use 'keep_latest' or 'delete'")
        for thread in thread_ids:
            if strategy == "delete":
                await self.adelete_thread(thread)
            else:
                await self._keep_latest(thread)

    def get_tuple(self, config: RunnableConfig) -> NoReturn:
        """Refuses; so do the other methods that are not async."""
        raise NotImplementedError(
            "get_tuple: this checkpointer is async only; use ainvoke, astream, aget_state"
        )

    def _channel(self, place: Place, name: str, version: str, value: object) -> Insert:
        kind, data = self.serde.dumps_typed(value)
        row = place._asdict() | {"channel": name, "version": version, "kind": kind, "value": data}
        return SAVE_CHANNEL, row

    def _matching(self, found: Sequence[Stored], filter: dict[str, Any]) -> Iterator[CheckpointTuple]:
        for stored in found:
            item = self._tuple(stored)
            metadata: dict[str, Any] = {**item.metadata}
            if all(name in metadata and metadata[name] == value for name, value in filter.items()):
                yield item

    def _tuple(self, stored: Stored) -> CheckpointTuple:
        checkpoint, metadata = self._read(stored)
        versions = checkpoint["channel_versions"]
        apart = {
            name: self.serde.loads_typed(value)
            for name, version, value in stored.channels
            if name in versions and str(versions[name]) == version
        }
        values = {**checkpoint["channel_values"], **apart}
        return CheckpointTuple(
            config=_config(stored.place, stored.id),
            checkpoint={**checkpoint, "channel_values": values},
            metadata=metadata,
            parent_config=_config(stored.place, stored.parent) if stored.parent else None,
            pending_writes=[
                (task, channel, self.serde.loads_typed(value)) for task, channel, value in stored.writes
            ],
        )

    def _read(self, stored: Stored) -> tuple[Checkpoint, CheckpointMetadata]:
        checkpoint, metadata = self.serde.loads_typed(stored.body)
        return checkpoint, metadata

    def _versions(self, stored: Stored) -> set[tuple[str, str]]:
        """The channel versions a stored checkpoint holds."""
        versions = self._read(stored)[0]["channel_versions"]
        return {(name, str(version)) for name, version in versions.items()}

    async def _prune_now_and_then(self, place: Place) -> None:
        count = self._since_pruning.get(place, 0) + 1
        self._since_pruning[place] = count % PRUNE_EVERY
        if count == PRUNE_EVERY:
            await self._writer.do(lambda connection: rows.thin(connection, place, KEEP, self._versions))

    async def thin(self, keep: int) -> int:
        """Removes what is not kept as a run goes, with the last ``keep``, in all threads; counts it."""

        def thin(connection: Connection) -> int:
            before = rows.count(connection)
            for place in rows.places(connection):
                if not self._reads_its_past(connection, place):
                    rows.thin(connection, place, keep, self._versions)
            return before - rows.count(connection)

        return await self._writer.do(thin)

    def _reads_its_past(self, connection: Connection, place: Place) -> bool:
        latest = rows.find(connection, place, None)
        return latest is not None and _DELTA in self._read(latest)[1]

    async def _keep_latest(self, thread: str) -> None:
        def keep_latest(connection: Connection) -> None:
            for place in rows.places(connection, thread):
                if not self._reads_its_past(connection, place):
                    rows.prune(connection, place, 1, self._versions)

        await self._writer.do(keep_latest)


def _is_small(value: object) -> bool:
    return (
        value is None
        or isinstance(value, bool | int | float)
        or (isinstance(value, str) and len(value) <= INLINE_CHARS)
    )


def _configurable(config: RunnableConfig | None) -> dict[str, Any]:
    return {} if config is None else config.get("configurable", {})


def _place(config: RunnableConfig) -> Place:
    configurable = _configurable(config)
    return Place(configurable["thread_id"], configurable.get("checkpoint_ns", ""))


def _checkpoint_id(config: RunnableConfig | None) -> str | None:
    id: str | None = _configurable(config).get("checkpoint_id")
    return id or None


def _config(place: Place, id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": place.thread, "checkpoint_ns": place.ns, "checkpoint_id": id}}
