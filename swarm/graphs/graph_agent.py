"""A LangGraph graph at work on a step: on the run's checkpoints, with its model and its tools."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# langgraph's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphRecursionError
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from langgraph.types import StateSnapshot
from pydantic import JsonValue

from swarm.agent.assignment import Assignment
from swarm.errors import ModelError, ModelUnavailable, ProjectError
from swarm.graphs.chat import RunModel
from swarm.graphs.places import Places
from swarm.graphs.toolset import Toolset
from swarm.models.grammars.schemas import closed
from swarm.nouns.messages import Message, Request
from swarm.nouns.result import Result
from swarm.project.folders import imported, said
from swarm.project.graph_files import GRAPH
from swarm.schemas.validator import problems
from swarm.work.context import Work, ask, one_line
from swarm.work.effects import lost_deeds

Graph = Pregel[Any, Any, Any, Any]

STEPS_A_TURN = 3
"""Steps of a graph that a limit of turns allows for each: a model, its tools, and one of the graph's own."""
GIVES = ("result", "structured_response")
"""Keys of the last state that hold a result, before the text of the last message."""


_LOADED: dict[tuple[Path, int], ModuleType] = {}
_LOADING = Lock()


async def work_on_graph(assignment: Assignment, work: Work) -> Result:
    """What a graph makes of its assignment; it goes on from its last checkpoint after a kill.

    Raises:
        ModelUnavailable: the model server is gone.
        ProjectError: the file does not run, makes no graph, or takes nothing that a step can give.
        ToolError: a tool's server did not start.
    """
    places = Places(assignment.thread)
    toolset = Toolset(work, places, assignment.input_rows)
    tokens = assignment.card.limits.reply_tokens or work.limits.reply_tokens
    model = RunModel.of(work, places, tokens)
    tools = toolset.of(await work.box.tools(assignment.card.tools))
    path = Path(assignment.card.graph)
    module = await asyncio.to_thread(_module, path)  # which may import for seconds
    graph = _graph(path, module, model, tools).copy({"checkpointer": work.journal.saver})
    turns = assignment.card.limits.turns or work.limits.turns
    config: RunnableConfig = {
        "configurable": {"thread_id": str(assignment.thread)},
        "recursion_limit": turns * STEPS_A_TURN,
    }
    try:
        known = await graph.aget_state(config)
        if not known.values and (deeds := await lost_deeds(work, assignment.thread)):
            return Result.failed(
                f"its checkpoints are not in this run (a fork copies none), and it had done: {deeds}"
            )
        state = await _run(path, graph, config, assignment, known)
        result = await _result(state, assignment, work, places)
    except ModelUnavailable:
        raise
    except ModelError as error:
        return Result.failed(str(error))
    except GraphRecursionError:
        return Result.failed(f"not done after {turns * STEPS_A_TURN} steps of its graph")
    return result.model_copy(
        update={"evidence": tuple(toolset.evidence), "files": tuple(dict.fromkeys(toolset.files))}
    )


def _module(path: Path) -> ModuleType:
    """The module of a graph, loaded once for all sub-agents."""
    with _LOADING:
        key = (path, path.stat().st_mtime_ns)
        if key not in _LOADED:
            name = f"swarm_graph_{path.stem.replace('-', '_')}"
            _LOADED[key] = imported(path, name, "the graph does not load")
        return _LOADED[key]


def _graph(path: Path, module: ModuleType, model: RunModel, tools: list[Any]) -> Graph:
    """The graph that a file gives, compiled or not, or by a function of model and tools."""
    made: object = getattr(module, GRAPH, None)
    if callable(made) and not isinstance(made, Pregel | StateGraph):
        try:
            made = cast("Callable[[RunModel, list[Any]], object]", made)(model, tools)
        except Exception as error:  # foreign code: whatever it does
            why = one_line(f"{type(error).__name__}: {error}", 160)
            raise ProjectError(f"{said(path)}: {GRAPH}(model, tools) failed: {why}") from error
    if isinstance(made, StateGraph):
        made = made.compile()
    if not isinstance(made, Pregel):
        raise ProjectError(
            f"{said(path)}: {GRAPH} is {type(made).__name__} and no LangGraph graph; give one, or a function "
            f"{GRAPH}(model, tools) that returns one"
        )
    return made


async def _run(
    path: Path, graph: Graph, config: RunnableConfig, assignment: Assignment, known: StateSnapshot
) -> Mapping[str, object]:
    """The last state of the graph; from its last checkpoint where it has one."""
    if known.values and not known.next:
        return cast("Mapping[str, object]", known.values)
    given = None if known.values else _input(path, graph, assignment)
    # Each checkpoint is down before the tasks behind it begin: what they ask is recorded under its name.
    state = await graph.ainvoke(given, config, durability="sync")
    after = await graph.aget_state(config)
    if after.next:
        raise ProjectError(
            f"{said(path)}: the graph waits for a person at {', '.join(after.next)}; one that is an agent can't"
        )
    return cast("Mapping[str, object]", state)


def _input(path: Path, graph: Graph, assignment: Assignment) -> dict[str, object]:
    """What the graph takes of what a step has."""
    inputs = {name: result.data or result.text for name, result in assignment.inputs.items()}
    last = [f"An earlier attempt failed: {assignment.failure}"] if assignment.failure else []
    found = [f"Result of {name}:\n{_text(value)}" for name, value in inputs.items()]
    offered: dict[str, object] = {
        "messages": [
            HumanMessage("\n\n".join([*found, assignment.text or "", assignment.brief, *last]).strip())
        ],
        "task": assignment.task,
        "brief": assignment.brief,
        "item": assignment.item,
        "inputs": inputs,
    }
    # Of the state: the schema of its input can't be made of every state (typing.TypedDict before 3.12).
    taken = [name for name in cast("dict[str, object]", graph.channels) if ":" not in name and name[0] != "_"]
    given = {name: value for name, value in offered.items() if name in taken}
    if not given:
        raise ProjectError(
            f"{said(path)}: the graph takes {', '.join(taken) or 'nothing'}; a step gives {', '.join(offered)}"
        )
    return given


async def _result(state: Mapping[str, object], assignment: Assignment, work: Work, places: Places) -> Result:
    """The result in the last state, in the form that the step must have."""
    given = next((state[name] for name in GIVES if state.get(name) is not None), None)
    data = cast("JsonValue", json.loads(json.dumps(given, default=_plain)))
    messages = cast("list[object]", state.get("messages") or [])
    text = str(messages[-1].text) if messages and isinstance(messages[-1], BaseMessage) else ""
    expects = assignment.step.expects
    if expects is None:
        said_last = text if data is None else _text(data)
        return Result(text=said_last) if said_last.strip() else Result.failed(_nothing(state))
    if data is None or _fault(expects, data):
        data = await _typed(_text(data) if data is not None else text, expects, work, places)
        if fault := _fault(expects, data):
            return Result.failed(f"the graph's result is not what the step must give: {fault}")
    return Result(text=one_line(_text(data), 200), data=data)


def _nothing(state: Mapping[str, object]) -> str:
    found = ", ".join(state) or "nothing"
    return (
        f"the graph ended without a result: its last state has {found}; give {', '.join(GIVES)} or messages"
    )


def _fault(expects: dict[str, JsonValue], data: JsonValue) -> str:
    return next((one_line(str(problem.message), 160) for problem in problems(expects, data)), "")


async def _typed(text: str, expects: dict[str, JsonValue], work: Work, places: Places) -> JsonValue:
    """What a graph said, in the form that the step must have."""
    request = Request(
        messages=(
            Message("user", f"{text}\n\nGive what this says as JSON. Leave out nothing, add nothing."),
        ),
        output_schema=closed({"result": expects}),
        max_tokens=work.limits.reply_tokens,
    ).within(work.limits)
    reply = await ask(work, places.next(request.digest()), request)
    try:
        return cast("dict[str, JsonValue]", json.loads(reply.text))["result"]
    except (ValueError, KeyError, TypeError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    """A model of pydantic or a dataclass as JSON has it; anything else in words."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)
