"""What a scripted model says: a function, a list of replies in order, or a Python file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from swarm.errors import ModelError, ProjectError, SwarmError, quoted, shortened
from swarm.nouns.messages import Reply, Request
from swarm.project.folders import imported, is_regular, said
from swarm.testing.double.faults import Fault

Answer = str | Reply | Fault
"""What is said; a fault is shown for this one request, and says its ``text``."""

ReplyFunction = Callable[[Request], Answer | Awaitable[Answer]]
LatencyFunction = Callable[[Request], float]


@dataclass(frozen=True)
class Script:
    """What a scripted model says, and how long it takes to say it."""

    reply: ReplyFunction
    """Gives the answer to a request; may be a coroutine function. What it raises, the model raises."""
    latency: LatencyFunction | None = None
    """Gives the seconds a reply takes; None leaves it to the model's ``latency_seconds``."""


def script_of(source: Script | ReplyFunction | Sequence[Answer] | Path) -> Script:
    """The script that a function, a list of replies in order, or a Python file gives.

    A file defines ``reply(request)`` and may define ``latency(request)`` in seconds.

    Raises:
        ProjectError: the file is missing, does not run, or defines no ``reply``.
    """
    if isinstance(source, Script):
        return source
    if isinstance(source, Path):
        return _script_in(source)
    if callable(source):
        return Script(source)
    return Script(_in_order(tuple(source)))


def _in_order(answers: tuple[Answer, ...]) -> ReplyFunction:
    left = iter(answers)

    def reply(request: Request) -> Answer:
        for answer in left:
            return answer
        raise ModelError(
            f"the script holds {len(answers)} replies and all were given; "
            f"it has none for {request.messages[-1].content[:80]!r}"
        )

    return reply


def _script_in(path: Path) -> Script:
    if not is_regular(path):
        raise ProjectError(f"{said(path)}: no such script; name a Python file that defines reply(request)")
    module = imported(path, f"swarm_script_{path.stem}", "the script does not run")
    reply = getattr(module, "reply", None)
    if not callable(reply):
        raise ProjectError(f"{said(path)}: the script defines no function reply(request); add one")
    latency = getattr(module, "latency", None)
    return Script(
        _checked(path, cast("ReplyFunction", reply)),
        cast("LatencyFunction", latency) if callable(latency) else None,
    )


def _checked(path: Path, reply: ReplyFunction) -> ReplyFunction:
    """The function of a person's file, whose faults are told as theirs."""

    async def checked(request: Request) -> Answer:
        try:
            answer = reply(request)
            found = cast("object", await answer if isinstance(answer, Awaitable) else answer)
        except (SwarmError, TimeoutError):
            raise
        except Exception as error:  # foreign code: whatever a script does
            why = shortened(f"{type(error).__name__}: {error}", 160)
            raise ProjectError(f"{said(path)}: reply(request) raised {why}; correct the script") from error
        if not isinstance(found, str | Reply | Fault):
            raise ProjectError(
                f"{said(path)}: reply(request) gave {quoted(found)}; it gives the text of the reply"
            )
        return found

    return checked
