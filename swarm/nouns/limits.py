"""What a run may spend and what it has spent, in the currency of a local machine."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Usage(BaseModel):
    """What was spent, by one model reply or by many together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefilled_tokens: int = 0
    """Prompt tokens the server computed anew."""
    cached_tokens: int = 0
    """Prompt tokens the server took from its prefix cache."""
    written_tokens: int = 0
    """Tokens the model generated."""
    thought_tokens: int = 0
    """Those of them that were thinking and no part of the reply, estimated from its length."""
    model_calls: int = 0
    tool_calls: int = 0
    model_seconds: float = 0.0
    """Time spent inside model calls, summed over parallel ones; the next three are parts of it."""
    prefill_seconds: float = 0.0
    """Time the server computed prompts; where it does not tell, the time to the first token."""
    load_seconds: float = 0.0
    """Time the server loaded the model, one in the place of another too."""
    queued_seconds: float = 0.0
    """Time requests waited in the server for a slot."""
    retry_seconds: float = 0.0
    """Time lost before the request that was answered: to others that failed, and to pauses between."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompts, cached or not."""
        return self.prefilled_tokens + self.cached_tokens

    @property
    def tokens(self) -> int:
        """Prompt and written tokens together."""
        return self.prompt_tokens + self.written_tokens

    def __add__(self, other: Usage) -> Usage:
        added = vars(other)
        return Usage.model_validate({name: value + added[name] for name, value in vars(self).items()})


MOST = 1_000_000_000_000
"""The most that any limit may be: more is a slip of the hand and as good as none."""
MOST_OF_A_KIND = 10_000_000
"""Sub-agents, items, turns, tokens of one reply."""
LONGEST_SECONDS = 31_536_000.0
"""A year."""


class Limits(BaseModel):
    """What a run may spend. Every field has a default that ends, so nothing runs forever."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    tokens: int = Field(default=20_000_000, ge=1, le=MOST)
    """Prompt and written tokens over the whole run."""
    model_calls: int = Field(default=20_000, ge=1, le=MOST)
    """Model calls over the whole run."""
    tool_calls: int = Field(default=50_000, ge=1, le=MOST)
    """Tool calls over the whole run."""
    model_seconds: float = Field(default=864_000.0, gt=0, le=MOST)
    """Time inside model calls over the whole run, parallel ones summed."""
    seconds: float = Field(default=86_400.0, gt=0, le=LONGEST_SECONDS)
    """Wall-clock of the run, counted while it is running, over resumes."""
    steps: int = Field(default=4_000, ge=1, le=MOST_OF_A_KIND)
    """Sub-agents over the whole run, the items of an ``each`` counted one by one."""
    items: int = Field(default=1_000, ge=1, le=MOST_OF_A_KIND)
    """Items that one ``each`` may expand to."""
    turns: int = Field(default=24, ge=1, le=MOST_OF_A_KIND)
    """Turns of one sub-agent."""
    attempts: int = Field(default=2, ge=1, le=1_000)
    """Attempts at one step before it has failed, and workers for an attempt when they die."""
    candidates: int = Field(default=8, ge=0, le=100)
    """Programs that may be written for one step, of which two must agree. With 1 the first is taken where no check
    rules it out; with 0 tasks are planned, and no programs are written for them."""
    replans: int = Field(default=1, ge=0, le=1_000)
    """Times the planner may change what is to become of the steps that failed."""
    reply_tokens: int = Field(default=1_024, ge=16, le=MOST_OF_A_KIND)
    """Tokens of one model reply."""
    reply_seconds: float = Field(default=900.0, gt=0, le=LONGEST_SECONDS)
    """Deadline of one model reply, from dispatch to its last token, retries included."""
    first_token_seconds: float = Field(default=600.0, gt=0, le=LONGEST_SECONDS)
    """How long a reply's first token is waited for, summed over retries. A prompt of 8,000 tokens takes
    a CPU that reads 30 a second 270 s."""
    between_tokens_seconds: float = Field(default=120.0, gt=0, le=LONGEST_SECONDS)
    """How long the next token is waited for; a server that reads another's prompt meanwhile may take a minute."""
    requests: int = Field(default=5, ge=1, le=1_000)
    """Requests to the server that one model reply may take: the first and its retries."""
    tool_seconds: float = Field(default=120.0, gt=0, le=LONGEST_SECONDS)
    """Deadline of one tool call."""
    stall_seconds: float = Field(default=600.0, gt=0, le=LONGEST_SECONDS)
    """How long nothing at all may move, beyond the deadlines of the calls in flight, before the run pauses."""
    free_disk_mb: int = Field(default=200, ge=0, le=MOST)
    """Megabytes that must stay free on the disk of the run's file: with fewer nothing starts, and a run
    that works is paused."""

    run_file_mb: int = Field(default=4_000, ge=1, le=MOST)
    """Megabytes that a run's file may grow to; then the run is paused. 10,000 turns take some 20."""

    @field_validator("*", mode="before")
    @classmethod
    def _is_number(cls, value: object) -> object:
        """``true`` is no number, though Python counts it as 1."""
        if isinstance(value, bool):
            raise ValueError("write a number")  # pydantic tells of ValueError alone
        return value

    def but(self, given: Limits) -> Limits:
        """These limits, but for those that are set in ``given``."""
        return self.model_copy(update=given.model_dump(exclude_unset=True))
