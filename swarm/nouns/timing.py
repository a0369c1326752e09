"""How long a run should take, how long it took and where the time went: pure data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Forecast(_Figures):
    """What a plan should take on the model server as it is, before it runs."""

    low_seconds: float
    high_seconds: float
    slots: int
    agents: int
    """Sub-agents whose number is known."""
    open_steps: tuple[str, ...] = ()
    """Steps for each item of a list that another step makes: counted as one sub-agent."""


class Lost(_Figures):
    """Seconds without a word written, on the chain of sub-agents that the end waited for.

    The chain goes from the step that ended last to the need of it that ended last, and so on; of a
    step with many items the one that ended last stands on it. Planning and answering do too.
    """

    queue: float = 0.0
    """Waiting for a slot: from a sub-agent's ``agent_waiting`` to its next event, and what the server
    told of its own queue (``Usage.queued_seconds``)."""
    swap: float = 0.0
    """Loading models (``Usage.load_seconds``)."""
    prefill: float = 0.0
    """Computing prompts (``Usage.prefill_seconds``)."""
    approval: float = 0.0
    """Waiting for a person, all run long: a plan's approval, and a limit that was reached. It is no
    part of ``Speedup.actual_seconds``."""
    retry: float = 0.0
    """Attempts that failed, from their first to their last event; requests that were sent again
    (``Usage.retry_seconds``); calls that a kill cut off."""
    start: float = 0.0
    """Loading libraries, models and tool servers, in each sitting until the first sub-agent, or planning,
    began. It is no part of ``Speedup.actual_seconds``."""
    other: float = 0.0
    """What is left of ``Speedup.actual_seconds`` after the work on the chain and all of the above: saving,
    and waiting for a turn in this process."""


class Speedup(_Figures):
    """What working side by side gained. Computed from a run's events alone, as ``run.speedup`` tells."""

    work_seconds: float
    """All model and tool time, as if done one after another by a server with nothing else to do: a
    reply that was written beside others counts as long as one written alone would have taken, where
    the run has such replies to tell; never more than its slots could do in the time. So does a tool
    call; where none was alone, a tool server counts as long as it had any to do."""
    critical_seconds: float
    """Planning, the chain of steps with the most work, answering: what no number of slots can shorten.
    Of a step with many items the longest counts."""
    ideal_seconds: float
    """The least that the run's slots allowed: ``critical_seconds``, or where that is more, planning and
    answering plus the other work shared out evenly."""
    actual_seconds: float
    """Wall-clock while the run was at work, over its sittings, without their start."""
    slots: int
    """As the server told, or the most replies that were written at once where these were more."""
    width: int | None = None
    """The most sub-agents that were at work at once; None where an older version recorded none."""
    lost: Lost = Lost()
    tells_prefill: bool = True
    """Whether the server, or a stream's first token, told the time of prefill."""

    @property
    def factor(self) -> float:
        """How many times faster than one after another."""
        return self.work_seconds / self.actual_seconds if self.actual_seconds else 1.0
