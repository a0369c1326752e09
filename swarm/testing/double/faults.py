"""What can be wrong with a model and its server: the faults that a double shows on demand."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from swarm.errors import ProjectError

WireFault = Literal[
    "500", "429", "503", "hang", "drip", "stall", "cut", "stream-error", "broken-stream", "half-json", "html",
    "empty", "restart", "digest",
]  # fmt: skip
"""Faults of a server. ``500``, ``429`` (with Retry-After) and ``503`` refuse; ``hang`` never sends the
first byte, ``drip`` sends a little now and then for ever, ``stall`` stops in the middle and keeps
the connection, ``cut`` drops it there; ``stream-error`` reports an error after half of a stream (500
where none was asked for); ``broken-stream`` has a line that can't be read (a stream where none
was asked for); ``half-json`` ends in the middle of an object; ``html`` is a page with status 200;
``empty`` has no choices; ``restart`` drops everyone and listens again later with cold caches; from
``digest`` on another model answers under the old name."""

WordFault = Literal[
    "hermes", "fenced", "bare-json", "python", "pipes", "mistral", "xml", "native", "thinking", "reasoning",
    "two-calls", "wrong-types", "unknown-tool", "loop", "refusal", "deflection",
]  # fmt: skip
"""Faults of a model. The first seven print a tool call in a dialect of their own; ``native`` puts it
into the protocol's field for calls; ``thinking`` thinks aloud first, ``reasoning`` does so in the
protocol's field for it; ``two-calls`` says two at once;
``wrong-types`` and ``unknown-tool`` call wrongly; ``loop`` repeats its first call for ever;
``refusal`` and ``deflection`` do not do what was asked."""

FaultKind = WireFault | WordFault

WIRE_FAULTS: tuple[WireFault, ...] = get_args(WireFault)
WORD_FAULTS: tuple[WordFault, ...] = get_args(WordFault)

DOOR_FAULTS = frozenset({"500", "429", "503", "restart"})
"""Wire faults that come before a request has a slot."""

_SPELLING = re.compile(
    r"(?P<kind>[a-z0-9-]+)(:((?P<share>[0-9.]+)%|(?P<times>\d+)))?(\+(?P<after>\d+))?(@(?P<seconds>[0-9.]+))?"
)


@dataclass(frozen=True)
class Fault:
    """A fault and the requests that meet it: all, or the ``times`` after the first ``after``, or a ``share``."""

    kind: FaultKind
    times: int | None = None
    after: int = 0
    """Requests that are left alone before."""
    share: float | None = None
    """From 0 to 1: the part of the requests that meet it, drawn with ``seed``."""
    seconds: float = 1.0
    """Retry-After of ``429`` and ``503``, time between the pieces of ``drip``, time down of ``restart``."""
    seed: int = 0
    text: str = ""
    """What the model says, where a script gives the fault as its answer to one request."""

    def meets(self, number: int) -> bool:
        """Whether the request of that number, from 1, meets it."""
        if number <= self.after or (self.times is not None and number > self.after + self.times):
            return False
        return self.share is None or random.Random(f"{self.seed}/{self.kind}/{number}").random() < self.share

    @property
    def is_wire(self) -> bool:
        """Whether it is the server's and not the model's."""
        return self.kind in WIRE_FAULTS


def fault_at(faults: Sequence[Fault], number: int) -> Fault | None:
    """The first of the faults that the request of that number, from 1, meets."""
    return next((fault for fault in faults if fault.meets(number)), None)


def parse_fault(spelling: str) -> Fault:
    """The fault of a spelling ``KIND[:TIMES|:SHARE%][+AFTER][@SECONDS]``.

    >>> parse_fault("429:2@0.5")
    Fault(kind='429', times=2, after=0, share=None, seconds=0.5, seed=0, text='')

    Raises:
        ProjectError: it is none; the message names the kinds.
    """
    found = _SPELLING.fullmatch(spelling)
    if not found or found["kind"] not in (*WIRE_FAULTS, *WORD_FAULTS):
        raise ProjectError(
            f"no such fault: {spelling!r}; write KIND[:TIMES|:SHARE%][+AFTER][@SECONDS], KIND one of "
            f"{', '.join((*WIRE_FAULTS, *WORD_FAULTS))}"
        )
    fault = Fault(cast("FaultKind", found["kind"]), after=int(found["after"] or 0))
    if found["times"]:
        fault = replace(fault, times=int(found["times"]))
    if found["share"]:
        fault = replace(fault, share=float(found["share"]) / 100)
    return replace(fault, seconds=float(found["seconds"])) if found["seconds"] else fault
