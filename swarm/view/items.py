"""The sub-agents of one step that are worth a row: those in trouble, then those at work, the longest first."""

from __future__ import annotations

from itertools import takewhile

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from swarm.view.signs import AGAIN, LOOKS, figures_of, tail
from swarm.view.state import ENDED, MOVING, AgentState, StepState
from swarm.view.words import one_line

_LABEL = 28
"""The most columns of an item's name."""
_PAST = 4
"""Rows that the failures of a step take once it has ended, while others are at work."""

_GRID_FROM = 10
"""Items from which on a grid of them says more than their rows do."""

Item = tuple[int | None, AgentState]


def rows_wanted(step: StepState) -> int:
    """How many rows the step would fill with what is worth one."""
    troubled, moving = _troubled(step), _moving(step)
    if step.result:
        return min(len(troubled), _PAST)
    return len(troubled) + len(moving) + bool(step.left - len(moving))


def item_rows(step: StepState, now: float, width: int, room: int, *, is_live: bool = True) -> list[Text]:
    """The step's sub-agents in at most ``room`` rows; the last of them counts what has none."""
    troubled = _troubled(step) if step.each else []
    moving = _moving(step) if is_live and step.each and not step.result else []
    if room <= 0 or not (troubled or moving):
        return []
    shown, rest = _chosen(step, troubled, moving, room if is_live else min(room, _all_of(troubled)))
    labels = [_label(step, item, agent) for item, agent in shown]
    columns = min(max(map(cell_len, labels), default=1), _LABEL, max(width // 3, 6))
    rows = [_row(agent, label, now, width, columns) for (_, agent), label in zip(shown, labels, strict=True)]
    return [*rows, Text(f"  {one_line(rest, width - 2)}", style="dim", no_wrap=True)] if rest else rows


def every_row(step: StepState, now: float, width: int) -> list[Text]:
    """A row for each item of a step, with its number in front, those that have not begun too."""
    agents = [(item, step.agents.get(item) or AgentState()) for item in range(len(step.items))]
    numbers = len(str(len(agents)))
    labels = [f"{item:>{numbers}} {_label(step, item, agent)}" for item, agent in agents]
    columns = min(max(map(cell_len, labels), default=1), _LABEL, max(width // 3, 6))
    return [_row(agent, label, now, width, columns) for (_, agent), label in zip(agents, labels, strict=True)]


def grid_rows(step: StepState, width: int, room: int) -> list[Text]:
    """All of a step's items, a cell each: with their names where these fit, else by their signs alone."""
    if len(step.items) < _GRID_FROM or step.result or room <= 0:
        return []
    names = _short(step.items)
    for labels in (names, [""] * len(names)):
        columns = max(map(cell_len, labels)) + (2 if labels is names else 1)
        across = max((width - 4) // columns, 1)
        if -(-len(labels) // across) <= room:
            return [
                _grid_row(step, range(start, min(start + across, len(labels))), labels, columns)
                for start in range(0, len(labels), across)
            ]
    return []


def _grid_row(step: StepState, items: range, labels: list[str], columns: int) -> Text:
    row = Text("    ", no_wrap=True, overflow="crop")
    for item in items:
        agent = step.agents.get(item)
        sign, style = _look(agent) if agent else LOOKS["waiting"]
        row.append(f"{labels[item]}{sign}", style)
        row.append(" " * (columns - cell_len(labels[item]) - 1))
    return row


def _short(items: tuple[str, ...]) -> list[str]:
    """The items without what all of them begin and end with."""
    lines = [one_line(item, _LABEL) for item in items]
    first = _alike(lines)
    last = _alike([line[first:][::-1] for line in lines])
    return [line[first : len(line) - last] for line in lines]


def _alike(lines: list[str]) -> int:
    """How many signs all lines begin with alike."""
    return sum(1 for _ in takewhile(lambda signs: len(set(signs)) == 1, zip(*lines, strict=False)))


def agent_words(agent: AgentState) -> str:
    """What a sub-agent does or waits for; its result or reason once it has ended."""
    if agent.stage == "waiting" and agent.why and not agent.needs_look:
        return f"attempt {agent.attempt} waits; before: {agent.why}"
    again = f" (attempt {agent.attempt})" if agent.attempt > 1 else ""
    before = f"; before: {agent.why}" if agent.why and agent.stage != "failed" else ""
    if agent.stage == "thinking" and not agent.turn:
        return f"{agent.now or f'begins{again}'}{before}"
    if agent.stage == "thinking":
        # Notes on a conversation that became too long are recorded under the turn's negative.
        does = "takes notes" if agent.turn < 0 else "thinking"
        after = agent.now or agent.did
        return f"turn {abs(agent.turn)}{again}: {does}{f' after {after}' if after else ''}{before}"
    return f"{agent.now or agent.stage}{again}{before}"


def _all_of(troubled: list[Item]) -> int:
    return len(troubled) if len(troubled) <= 10 else 11


def _troubled(step: StepState) -> list[Item]:
    found = [(item, agent) for item, agent in step.agents.items() if item is not None and agent.is_trouble]
    order = {"failed": 0, "waiting": 1, "thinking": 1, "acting": 1}
    return sorted(found, key=lambda one: order.get(one[1].stage, 2))


def _moving(step: StepState) -> list[Item]:
    found = [
        (item, agent) for item, agent in step.agents.items() if agent.stage in MOVING and not agent.is_trouble
    ]
    return sorted(found, key=lambda one: one[1].started_at or 0.0)


def _chosen(step: StepState, troubled: list[Item], moving: list[Item], room: int) -> tuple[list[Item], str]:
    """Those with a row, and words for the rest. Trouble has at most half of the rows while others work."""
    waiting = max(step.left - len(moving) - sum(agent.stage not in ENDED for _, agent in troubled), 0)
    if len(troubled) + len(moving) <= room - bool(waiting and moving):
        first, then = troubled, moving
    else:
        most = max((room - 1 + 1) // 2, room - 1 - len(moving))
        first = troubled[: min(most, room - 1)]
        then = moving[: room - 1 - len(first)]
    rest = [
        (len(moving) - len(then), "at work"),
        (waiting if moving else 0, "waiting"),
        (len(troubled) - len(first), "failed or degraded"),
    ]
    words = " · ".join(f"{number} {what}" for number, what in rest if number > 0)
    return [*first, *then], f"+ {words}" if words else ""


def _look(agent: AgentState) -> tuple[str, str]:
    """The sign and the style of a sub-agent: one that waits to be tried again is told from those that wait."""
    return AGAIN if agent.stage == "waiting" and agent.is_trouble else LOOKS[agent.stage]


def _label(step: StepState, item: int | None, agent: AgentState) -> str:
    label = agent.label
    if not label and item is not None and item < len(step.items):
        label = step.items[item]
    return one_line(label, _LABEL)


def _row(agent: AgentState, label: str, now: float, width: int, columns: int) -> Text:
    sign, style = _look(agent)
    row = Text(no_wrap=True, overflow="crop")
    row.append(f"  {sign} {set_cell_size(one_line(label, columns), columns)}", style)
    figures = figures_of(agent.usage, agent.started_at, agent.ended_at or now, width)
    return tail(row, agent_words(agent), figures, width, "red" if agent.stage == "failed" else "")
