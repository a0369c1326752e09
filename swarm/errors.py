"""The tree of errors, by who must act.

SwarmError
├── ProjectError          the user: a wrong path, card, setting or server entry (CLI exit 2)
│   └── ModelMissing      the user: no model server was found and no embedded model is there
├── StoreError            the user: a run's file that can't be read, or is newer than this version
│   └── RunBusy           the user: another live process owns the run
├── PlanError             the planner, or the author of a plan file: a plan that cannot run
├── ModelError            the model or its server
│   ├── ModelUnavailable  the server did not answer, or answered with a failure
│   ├── ContextOverflow   the prompt does not fit the model's window
│   │   └── ContextTruncated  the server read only a part of it and did not say so
│   └── MalformedReply    a reply that fits neither a tool call nor the result that was owed
│       └── Declined      words in their place: a refusal, a deflection, the task retold
├── ToolError             the caller of a tool: shown to the model as the tool's answer
│   └── ServerError       an MCP server that could not start, died or did not answer in time
├── WorkerDied            nobody: what worked on a step came to an end nobody expects; another goes on
├── CallInDoubt           a person: a tool call was cut off, and only they can say what becomes of it
├── LimitExceeded         the budget: a limit of the run was reached
└── RunInterrupted        the run was stopped before its end and can be resumed
    └── RunPaused         it rests: nothing was in flight, and nothing was cut off

A message says what, where, which value (with ``!r``, cut by ``quoted``) and what to do.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

MOST_QUOTED = 80
"""Characters of a value that a message repeats."""
MOST_LISTED = 5
"""Values of a list that a message names."""
MOST_PROBLEM = 300
"""Characters of one problem of a plan."""

_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother, _REPR.maxlong = 2, MOST_QUOTED, MOST_QUOTED, MOST_QUOTED


def quoted(value: object) -> str:
    """The value as a message repeats it: its ``repr``, cut in the middle."""
    try:
        said = _REPR.repr(value)
    except (ValueError, RecursionError):  # an integer too long to be written in decimal
        said = f"<{type(value).__name__}>"
    return shortened(said)


def shortened(words: str, most: int = MOST_QUOTED) -> str:
    """The words, cut in the middle where they are longer than ``most`` characters."""
    if len(words) <= most:
        return words
    end = most // 3
    return f"{words[: most - end - 1]}…{words[-end:]}"


def listed(words: Iterable[str], most: int = MOST_LISTED) -> str:
    """The words side by side: the first ones, and how many more there are."""
    found = list(words)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(shortened(word) for word in found[:most]) + more


class SwarmError(Exception):
    """Any error this framework raises on purpose; its text is written for a person."""


class ProjectError(SwarmError):
    """Something the user wrote or named is wrong: the message names the place and the remedy."""


class ModelMissing(ProjectError):
    """No model server was found and the embedded model is not there; names the one command."""


class StoreError(SwarmError):
    """A run's file is unreadable, damaged, or from a newer version."""


class RunBusy(StoreError):
    """Another live process owns the run; the message says which."""


class PlanError(SwarmError):
    """A plan that cannot run.

    ``problems`` holds one sentence for each thing that is wrong, in the plan's order.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        named = [shortened(problem, MOST_PROBLEM) for problem in problems[:MOST_LISTED]]
        more = f"; and {len(problems) - MOST_LISTED} more" if len(problems) > MOST_LISTED else ""
        super().__init__(f"the plan cannot run: {'; '.join(named)}{more}")


class ModelError(SwarmError):
    """The model or its server failed; the step that asked ends with this reason."""


class ModelUnavailable(ModelError):
    """The server refused, dropped or timed out the request. It may work later."""


class ContextOverflow(ModelError):
    """The prompt does not fit the window of the model. Sending it again cannot help."""


class ContextTruncated(ContextOverflow):
    """The server dropped a part of the prompt without a word; what it replied is not used."""


class MalformedReply(ModelError):
    """The reply is neither a tool call nor the result that was owed.

    ``reply`` is the text as the model wrote it.
    """

    def __init__(self, message: str, reply: str) -> None:
        self.reply = reply
        super().__init__(message)


class Declined(MalformedReply):
    """The reply is words where a tool call or a result was owed."""


class ToolError(SwarmError):
    """A tool call failed; the text is given to the model as the tool's answer."""


class ServerError(ToolError):
    """An MCP server could not start, died, or gave no answer in time or none that can be used.

    ``is_gone`` tells that its process has ended, so that nothing of a call is under way any more.
    """

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        self.is_gone = is_gone
        super().__init__(message)


class CallInDoubt(SwarmError):
    """A tool call may or may not have taken effect; ``question`` is the number of the question about it."""

    def __init__(self, message: str, question: int) -> None:
        self.question = question
        super().__init__(message)


class WorkerDied(SwarmError):
    """A bug, or silence past all deadlines, ended the work on a step. Its recorded turns stand."""


class LimitExceeded(SwarmError):
    """A limit of the run was reached. ``limit`` is its field's name in ``Limits``."""

    def __init__(self, message: str, limit: str) -> None:
        self.limit = limit
        super().__init__(message)


class RunInterrupted(SwarmError):
    """The run was stopped before its end; what was recorded is kept and it can be resumed."""


class RunPaused(RunInterrupted):
    """The run rests with nothing in flight: somebody asked for it, or its time was up."""
