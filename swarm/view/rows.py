"""A run drawn as rows of text that fit a screen: steps, and below them the sub-agents that matter now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from swarm.nouns.limits import Usage
from swarm.view.items import agent_words, grid_rows, item_rows, rows_wanted
from swarm.view.progress import NOTE_SECONDS, at_work, left_seconds, slot_words, waits
from swarm.view.signs import LOOKS, figures_of, tail
from swarm.view.state import ENDED, MOVING, RunState, Stage, StepState
from swarm.view.words import count, duration, one_line

_FAILED_ROWS = 10
"""Failed sub-agents of one step that are shown when a run is looked back on."""
_BAR = (8, 24)
"""The least and the most columns of a bar."""
_AGENTS_FROM = 100
"""Columns from which on it is told which agent works on a step."""


def live_rows(state: RunState, *, now: float, width: int, height: int) -> list[Text]:
    """The whole picture in at most ``height`` rows of ``width`` columns."""
    head, foot = _head(state, now, width), _foot(state, now, width)
    room = max(height - len(head) - len(foot), 1)
    return [*head, *_body(state, now, width, room), *foot][:height]


def step_rows(state: RunState, *, width: int) -> list[Text]:
    """One row for each step, and below it the sub-agents that failed: a run looked back on."""
    rows: list[Text] = []
    ids = _ids(state, width)
    for step in state.steps.values():
        rows.append(_step_row(step, state, state.last, width, ids))
        rows += item_rows(step, state.last, width, _FAILED_ROWS + 1, is_live=False)
    return rows


def row_of_step(step: StepState, state: RunState, width: int) -> Text:
    """One step of a run looked back on."""
    return _step_row(step, state, state.last, width, _ids(state, width))


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


def counts_of(step: StepState) -> list[tuple[str, str]]:
    """How far a step with items is, each count with its style: ``13✓``, ``1!``, ``1✗``, ``15 left``."""
    stages = step.stages
    parts = [(f"{stages[stage]}{LOOKS[stage][0]}", LOOKS[stage][1]) for stage in ENDED if stages[stage]]
    return [*parts, (f"{step.left} left", "bold")] if step.left else parts


def _head(state: RunState, now: float, width: int) -> list[Text]:
    worked = state.worked(now)
    left = left_seconds(state, now)
    parts = [
        (3, f"run {state.run}"),
        (4, state.model),
        (5, state.ended.status if state.ended else ""),
        (0, duration(worked) if worked else ""),
        (1, f"{'over' if left[1] else 'about'} {duration(max(left[0], 1.0))} left" if left else ""),
        (2, slot_words(state)),
    ]
    return [
        Text(_fitting(parts, width), style="bold", no_wrap=True),
        Text(one_line(state.task, width), style="italic", no_wrap=True),
    ]


def _foot(state: RunState, now: float, width: int) -> list[Text]:
    waiting = [(2, f"{number} wait for {what}") for what, number in waits(state).most_common()]
    used = state.usage
    parts = [
        (0, f"{at_work(state)} at work"),
        *waiting,
        (3, f"{count(used.prefilled_tokens)} prefilled"),
        (6, f"{count(used.cached_tokens)} cached"),
        (4, f"{count(used.written_tokens)} written"),
        (5, f"{count(used.model_calls)} model calls"),
    ]
    foot = [Text(_fitting(parts, width), style="bold", no_wrap=True)]
    if words := _told(state, now):
        foot.insert(0, Text(one_line(words, width), style="yellow", no_wrap=True))
    return foot


def _told(state: RunState, now: float) -> str:
    """What a person must decide, else what was told just now."""
    if state.questions:
        number, words = next(iter(state.questions.items()))
        more = f" and {len(state.questions) - 1} more" if len(state.questions) > 1 else ""
        return f"! question {number}{more} (swarm questions): {words}"
    if state.reached:
        return f"! {state.reached}"
    if state.notices and state.worked(now) - state.notices[-1].at <= NOTE_SECONDS:
        return f"note: {state.notices[-1].words}"
    return ""


def _fitting(parts: Sequence[tuple[int, str]], width: int) -> str:
    """The parts on one line; where that is too long, without those of the highest numbers."""
    kept = [(rank, words) for rank, words in parts if words]
    while len(kept) > 1 and cell_len(" · ".join(words for _, words in kept)) > width:
        kept.remove(max(kept, key=lambda part: part[0]))
    return one_line(" · ".join(words for _, words in kept), width)


def _body(state: RunState, now: float, width: int, room: int) -> list[Text]:
    steps = list(state.steps.values())
    if not steps:
        return [Text("planning …", style="cyan")]
    shown, folded = _fold(steps, room)
    spare = _share(shown, room - len(shown) - bool(folded))
    worked, ids = state.worked(now), _ids(state, width)
    parts: list[list[Text]] = []
    for step in shown:
        rows = item_rows(step, worked, width, spare.get(step.id, 0))
        parts.append([_step_row(step, state, worked, width, ids), *rows])
    room -= sum(map(len, parts)) + bool(folded)
    for step, part in zip(shown, parts, strict=True):
        grid = grid_rows(step, width, room)
        room -= len(grid)
        part += grid
    rows = [row for part in parts for row in part]
    if folded:
        rows.append(Text(one_line(_fold_words(folded), width), style="dim", no_wrap=True))
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
    """Rows for sub-agents, dealt out one by one among the steps that have something to show."""
    wanted = {step.id: rows_wanted(step) for step in steps if step.each}
    given = dict.fromkeys(wanted, 0)
    while room > 0 and any(given[id] < wanted[id] for id in wanted):
        for id in wanted:
            if room > 0 and given[id] < wanted[id]:
                given[id] += 1
                room -= 1
    return given


def _ids(state: RunState, width: int) -> int:
    """Columns of the steps' names."""
    longest = max((cell_len(id.lstrip("_")) for id in state.steps), default=1)
    return max(min(longest, 16, width // 4), 1)


def _step_row(step: StepState, state: RunState, now: float, width: int, ids: int) -> Text:
    stage = stage_of(step)
    row = Text(no_wrap=True, overflow="crop")
    row.append(f"{LOOKS[stage][0]} {set_cell_size(one_line(step.id.lstrip('_'), ids), ids)}", LOOKS[stage][1])
    if width >= _AGENTS_FROM:
        agents = min(max(len(one.agent) for one in state.steps.values()), 12)
        row.append(f"  {set_cell_size(one_line(step.agent, agents), agents)}", LOOKS[stage][1])
    figures = figures_of(step.usage, step.started_at, step.ended_at or now, width)
    words = _step_words(step, state)
    if step.each and step.size:
        _append_counts(row, step, width - len(figures))
    return tail(row, words, figures, width, "red" if stage == "failed" else "")


def _append_counts(row: Text, step: StepState, width: int) -> None:
    """The bar and the counts. The counts are whole at any width: the name and the bar give way to them."""
    counts = counts_of(step)
    needed = sum(cell_len(words) + 1 for words, _ in counts) + 1
    room = width - row.cell_len - needed - 1
    if room < 0:
        row.truncate(max(row.cell_len + room, 2))
    if room >= _BAR[0] + 1:
        row.append("  ")
        _append_bar(row, step, min(room - 1, _BAR[1], max(width // 4, _BAR[0])))
    row.append(" ")
    for words, style in counts:
        row.append(" ")
        row.append(words, style)


def _append_bar(row: Text, step: StepState, columns: int) -> None:
    full = round(columns * (step.size - step.left) / step.size)
    row.append("█" * full, "green")
    row.append("░" * (columns - full), "dim")


def _step_words(step: StepState, state: RunState) -> str:
    if step.each and step.size:
        return _fan_words(step)
    if step.result:
        return step.result.reason or step.result.text
    if not step.agents:
        return _wait_words(step, state)
    return agent_words(next(reversed(step.agents.values())))


def _fan_words(step: StepState) -> str:
    if step.result:
        return step.result.reason if step.result.status != "done" else ""
    moving = sum(step.stages[stage] for stage in MOVING)
    return f"{moving} at work" if moving else ""


def _wait_words(step: StepState, state: RunState) -> str:
    missing = [id for id in step.waits_for if (need := state.steps.get(id)) is None or need.result is None]
    words = f"waits for {', '.join(missing)}" if missing else "ready"
    return f"{words} → {step.writes}" if step.writes else words
