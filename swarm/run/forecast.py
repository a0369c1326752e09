"""How long a plan should take, told from the speed of the model server before anything of it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swarm.models.model import Endpoint
from swarm.models.servers.profile import profile_of
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step, is_pattern
from swarm.nouns.timing import Forecast
from swarm.run.speedup import longest_chain

Sizes = Mapping[str, Sequence[int]]
"""For each step the bytes of what each of its sub-agents reads first; one 0 where that is not known."""


@dataclass(frozen=True)
class Speeds:
    """Tokens a second of a model server."""

    prefill: float
    writing: Mapping[int, float]
    """Of all replies together, by how many are written at once; what 1 gives is known."""

    def reply_seconds(self, prefilled: float, written: float, at_once: int, *, is_fair: bool) -> float:
        """The time of one of the replies that are written at once.

        Where it is not known how much so many slow each other down: not at all if ``is_fair``, else as
        if they shared the speed that is known.
        """
        known = max(number for number in self.writing if number <= at_once)
        return prefilled / self.prefill + written * (known if is_fair else at_once) / self.writing[known]


@dataclass(frozen=True)
class _Typical:
    """Tokens of one sub-agent or answer, all turns together, and of the text it reads."""

    prefilled: float
    written: float
    answer_prefilled: float
    answer_written: float
    bytes_per_token: float
    is_fair: bool

    def seconds(self, size: int, speeds: Speeds, at_once: int) -> float:
        """The time of one sub-agent."""
        prefilled = self.prefilled + size / self.bytes_per_token
        return speeds.reply_seconds(prefilled, self.written, at_once, is_fair=self.is_fair)

    def answer_seconds(self, speeds: Speeds) -> float:
        """The time of the answer in words."""
        return speeds.reply_seconds(self.answer_prefilled, self.answer_written, 1, is_fair=True)


# What the sub-agents of three example runs took in the mean on Qwen2.5-Coder-1.5B with a prompt cache:
# 106 to 165 tokens prefilled, small files among them, and 64 to 118 written; the answers 108 to 349 and
# 36 to 97.
LOW = _Typical(60, 60, 100, 36, bytes_per_token=4.5, is_fair=True)
HIGH = _Typical(150, 125, 350, 100, bytes_per_token=3.0, is_fair=False)


def speeds_of(endpoint: Endpoint, spent: Usage) -> Speeds | None:
    """The speeds of a model server as its profile has them, else as the replies so far tell them together.

    None before anything is known.
    """
    if (profile := profile_of(endpoint)) and profile.prefill_tokens_per_second:
        writing = {number: pace for number, pace in profile.decode_tokens_per_second.items() if pace > 0}
        if 1 in writing:
            return Speeds(profile.prefill_tokens_per_second, writing)
    seconds = spent.model_seconds - spent.load_seconds - spent.queued_seconds - spent.prefill_seconds
    if not spent.written_tokens or seconds <= 0:
        return None
    prefill = spent.prefilled_tokens / spent.prefill_seconds if spent.prefill_seconds else float("inf")
    return Speeds(prefill, {1: spent.written_tokens / seconds})


def sizes_of(plan: Plan, workspace: Path) -> dict[str, list[int]]:
    """What each sub-agent of the plan reads, as the files in the workspace tell it."""
    return {step.id: _sizes(step, workspace) for step in plan.steps}


def _sizes(step: Step, workspace: Path) -> list[int]:
    if step.each is None or not is_pattern(step.each):
        return [0]
    try:
        files = workspace.glob(step.each.removeprefix("./"))
        return [file.stat().st_size for file in files if file.is_file()] or [0]
    except (OSError, ValueError, NotImplementedError):
        return [0]  # A pattern that can't be looked up is the run's own affair.


def forecast(plan: Plan, speeds: Speeds, slots: int, sizes: Sizes) -> Forecast:
    """How long the plan should take on so many slots."""
    return Forecast(
        low_seconds=_seconds(plan, speeds, slots, sizes, LOW),
        high_seconds=_seconds(plan, speeds, slots, sizes, HIGH),
        slots=slots,
        agents=sum(len(sizes[step.id]) for step in plan.steps),
        open_steps=tuple(step.id for step in plan.steps if step.each_step),
    )


def _seconds(plan: Plan, speeds: Speeds, slots: int, sizes: Sizes, typical: _Typical) -> float:
    steps = {step.id: step for step in plan.steps}
    most = min(slots, max(len(sizes[id]) for id in steps))
    works: dict[tuple[str, int | None], float] = {
        (id, item): typical.seconds(size, speeds, most) for id in steps for item, size in enumerate(sizes[id])
    }
    last = plan.last_steps()
    # One last step that gives words gives the answer itself.
    answer = 0.0 if len(last) == 1 and last[0].expects is None else typical.answer_seconds(speeds)
    chain, share = longest_chain(steps, works), sum(works.values()) / slots
    # No schedule is shorter than the first, and none that leaves no slot idle is longer than the second
    # (Graham, Bounds on multiprocessing timing anomalies, 1969).
    return answer + (max(chain, share) if typical.is_fair else share + chain * (1 - 1 / slots))
