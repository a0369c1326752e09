"""A run drawn as rows of text that fit a screen: steps, and below them the sub-agents that move."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import set_cell_size
from rich.text import Text

from swarm.limits import Usage
from swarm.view.state import ENDED, MOVING, AgentState, RunState, Stage, StepState
from swarm.view.words import count, duration, one_line

LOOKS: dict[Stage, tuple[str, str]] = {
    "done": ("✓", "green"),
    "degraded": ("!", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("↷", "yellow"),
    "dropped": ("-", "dim"),
    "unfinished": ("…", "dim"),
    "acting": ("▶", "magenta"),
    "thinking": ("●", "cyan"),
    "waiting": ("·", "dim"),
}
"""The sign and the style of each stage, in the order in which steps without a row are counted."""
_FIGURES = 22
"""Columns for tokens and time at the right."""
_FAILED_ROWS = 10
"""Failed sub-agents of one step that are shown when a run is looked back on."""


def live_rows(state: RunState, *, now: float, width: int, height: int) -> list[Text]:
    """The whole picture in at most ``height`` rows of ``width`` columns."""
    head, foot = _head(state, now, width), _foot(state, width)
    room = max(height - len(head) - len(foot), 1)
    return [*head, *_body(state, now, width, room), *foot][:height]


def step_rows(state: RunState, *, width: int) -> list[Text]:
    """One row for each step, and below it the sub-agents that failed: a run looked back on."""
    rows: list[Text] = []
    for step in state.steps.values():
        rows.append(_step_row(step, state, state.last_at, width))
        rows += _failed_rows(step, state.last_at, width)
    return rows


def usage_words(usage: Usage) -> str:
    """What was used, in words: ``8.1k prefilled · 2.0k cached · 950 written · 12 model calls``."""
    tokens = f"{count(usage.prefilled_tokens)} prefilled · {count(usage.cached_tokens)} cached"
    return f"{tokens} · {count(usage.written_tokens)} written · {count(usage.model_calls)} model calls"


def stage_of(step: StepState) -> Stage:
    """Where a step stands: its result if it has one, else its most active sub-agent."""
    if step.result:
        return step.result.status
    stages = step.stages
    for stage in MOVING:
        if stages[stage]:
            return stage
    return "waiting"


def _head(state: RunState, now: float, width: int) -> list[Text]:
    elapsed = duration(now - state.started_at) if state.started_at else ""
    names = " · ".join(part for part in (f"run {state.run}", state.model, elapsed) if part)
    title = Text(one_line(names, width), style="bold")
    return [title, Text(one_line(state.task, width), style="italic")]


def _foot(state: RunState, width: int) -> list[Text]:
    moving = sum(agent.stage in MOVING for step in state.steps.values() for agent in step.agents.values())
    words = f"{moving} at work · {usage_words(state.usage)}"
    foot = [Text(one_line(words, width), style="bold")]
    if state.notices:
        foot.insert(0, Text(one_line(f"note: {state.notices[-1]}", width), style="yellow"))
    return foot


def _body(state: RunState, now: float, width: int, room: int) -> list[Text]:
    steps = list(state.steps.values())
    if not steps:
        return [Text("planning …", style="cyan")]
    shown, folded = _fold(steps, room)
    spare = _share([step for step in shown if step.each], room - len(shown) - bool(folded))
    rows: list[Text] = []
    for step in shown:
        rows.append(_step_row(step, state, now, width))
        rows += _agent_rows(step, now, width, spare.get(step.id, 0))
    if folded:
        rows.append(Text(one_line(_fold_words(folded), width), style="dim"))
    return rows


def _fold(steps: list[StepState], room: int) -> tuple[list[StepState], list[StepState]]:
    """What has a row of its own, in the plan's order, and what is only counted."""
    if len(steps) <= room:
        return steps, []
    urgency = {"acting": 0, "thinking": 0, "failed": 1, "degraded": 2, "waiting": 3}
    chosen = sorted(steps, key=lambda step: urgency.get(stage_of(step), 4))[: max(room - 1, 0)]
    ids = {step.id for step in chosen}
    return [step for step in steps if step.id in ids], [step for step in steps if step.id not in ids]


def _fold_words(steps: Sequence[StepState]) -> str:
    stages = [stage_of(step) for step in steps]
    words = {"acting": "in tools"}
    counts = [f"{stages.count(stage)} {words.get(stage, stage)}" for stage in LOOKS if stage in stages]
    return f"… {len(steps)} more steps: {', '.join(counts)}"


def _share(steps: Sequence[StepState], room: int) -> dict[str, int]:
    """Rows for sub-agents, dealt out one by one among the steps that have some at work."""
    wanted = {step.id: sum(step.stages[stage] for stage in MOVING) for step in steps}
    given = dict.fromkeys(wanted, 0)
    while room > 0 and any(given[id] < wanted[id] for id in wanted):
        for id in wanted:
            if room > 0 and given[id] < wanted[id]:
                given[id] += 1
                room -= 1
    return given


def _agent_rows(step: StepState, now: float, width: int, room: int) -> list[Text]:
    moving = [(item, agent) for item, agent in step.agents.items() if agent.stage in MOVING]
    shown = moving if len(moving) <= room else moving[: max(room - 1, 0)]
    rows = [_agent_row(step, item, agent, now, width) for item, agent in shown]
    if 0 < room < len(moving):
        rows.append(Text(f"  … {len(moving) - len(shown)} more at work", style="dim"))
    return rows


def _failed_rows(step: StepState, now: float, width: int) -> list[Text]:
    failed = [
        (item, agent)
        for item, agent in step.agents.items()
        if item is not None and agent.stage in {"failed", "degraded"}
    ]
    rows = [_agent_row(step, item, agent, now, width) for item, agent in failed[:_FAILED_ROWS]]
    if len(failed) > _FAILED_ROWS:
        rows.append(Text(f"  … {len(failed) - _FAILED_ROWS} more", style="red"))
    return rows


def _step_row(step: StepState, state: RunState, now: float, width: int) -> Text:
    stage = stage_of(step)
    ids = min(max(len(id) for id in state.steps), 16)
    agents = min(max(len(step.agent) for step in state.steps.values()), 12)
    left = f"{LOOKS[stage][0]} {one_line(step.id.lstrip('_'), ids):<{ids}}  {one_line(step.agent, agents):<{agents}}"
    ended = step.ended_at or now
    return _row(left, _step_words(step, state), _figures(step.usage, step.started_at, ended), stage, width)


def _step_words(step: StepState, state: RunState) -> str:
    if step.items or step.each:
        return _fan_words(step, state)
    if step.result:
        return step.result.reason or step.result.text
    if not step.agents:
        return _wait_words(step, state)
    return _agent_words(next(reversed(step.agents.values())))


def _fan_words(step: StepState, state: RunState) -> str:
    if not step.items and not step.agents:
        return _wait_words(step, state)
    stages = step.stages
    not_begun = max(len(step.items) - len(step.agents), 0)
    stages["waiting"] += not_begun
    parts = [f"{stages[stage]} {stage}" for stage in ENDED if stages[stage]]
    moving = sum(stages[stage] for stage in MOVING)
    parts += [
        f"{number} {word}" for number, word in ((moving, "at work"), (stages["waiting"], "waiting")) if number
    ]
    return f"{max(len(step.items), len(step.agents))} of {step.each}: {', '.join(parts)}"


def _wait_words(step: StepState, state: RunState) -> str:
    missing = [id for id in step.waits_for if (need := state.steps.get(id)) is None or need.result is None]
    return f"waits for {', '.join(missing)}" if missing else "ready"


def _agent_row(step: StepState, item: int | None, agent: AgentState, now: float, width: int) -> Text:
    label = agent.label
    if not label and item is not None and item < len(step.items):
        label = step.items[item]
    left = f"  {LOOKS[agent.stage][0]} {one_line(label, 28):<28}"
    ended = agent.ended_at or now
    return _row(left, _agent_words(agent), _figures(agent.usage, agent.started_at, ended), agent.stage, width)


def _agent_words(agent: AgentState) -> str:
    again = f" (attempt {agent.attempt})" if agent.attempt > 1 else ""
    if agent.stage == "thinking" and not agent.turn:
        return agent.now or f"begins{again}"
    if agent.stage == "thinking":
        # Notes on a conversation that became too long are recorded under the turn's negative.
        does = "takes notes" if agent.turn < 0 else "thinking"
        return f"turn {abs(agent.turn)}{again}: {does}{f' after {agent.now}' if agent.now else ''}"
    return f"{agent.now or agent.stage}{again}"


def _figures(usage: Usage, started: float, ended: float) -> str:
    tokens = f"{count(usage.prompt_tokens)}→{count(usage.written_tokens)}" if usage.model_calls else ""
    return f"{tokens:>12} {duration(ended - started) if started else '':>8}"


def _row(left: str, words: str, figures: str, stage: Stage, width: int) -> Text:
    figures = figures if width >= 3 * _FIGURES else ""
    room = max(width - len(left) - len(figures) - 3, 8)
    middle = set_cell_size(one_line(words, room), room)
    row = Text(no_wrap=True, overflow="crop")
    row.append(left, style=LOOKS[stage][1])
    row.append(f"  {middle}", style="red" if stage == "failed" else "")
    row.append(f" {figures}", style="dim")
    return row
