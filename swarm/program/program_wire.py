"""What a program and the run that started it say to each other: one JSON object a line, over a pair of sockets.

The program asks for what only the run can give (a reader's work, a tool), and tells at its end what came of it.
Calls may be under way side by side, each from a thread of its own.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypedDict

from swarm.program.saving import Plain

MOST_BYTES = 64 * 1024 * 1024
"""Of one line: a longer one is refused."""
MOST_PRINTED = 20_000
"""Characters of what a program prints that are kept."""


class TableFiles(TypedDict):
    """Files that make a table, by the name that SQL knows it by."""

    name: str
    pattern: str


class Formed(TypedDict):
    """Texts that make a table, by the name that SQL knows it by."""

    name: str
    form: str
    patterns: list[str]


class Rounding(TypedDict):
    """How many decimals figures have in the tables that are promised."""

    file: str
    """The file that is meant; empty for all."""
    places: int
    items: list[list[str]]
    """The words of each thing that it is said of, in small letters; empty where it is said of nothing in particular."""


@dataclass(frozen=True)
class Order:
    """What a program is started with."""

    program: str
    workspace: str
    written: str
    """The folder that takes what it writes."""
    scratch: str
    """A folder for what it has no memory for."""
    tables: list[TableFiles] = field(default_factory=list[TableFiles])
    formed: list[Formed] = field(default_factory=list[Formed])
    databases: list[str] = field(default_factory=list[str])
    """Database files of the workspace."""
    results: dict[str, Plain] = field(default_factory=dict[str, Plain])
    """What earlier steps gave, by their ids."""
    item: Plain = None
    columns: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Of the table files that are promised, as the task names them."""
    roundings: list[Rounding] = field(default_factory=list[Rounding])
    """How many decimals the task says for the figures in them; only ever fewer than a program saves."""
    has_underscore: bool = False
    """Whether the task speaks of the sign ``_``."""
    is_lenient: bool = False
    """Whether lines of another form may be passed over: see ``script``."""
    now: float = 0.0
    """What the clock says, seconds since 1970."""
    seed: int = 0


class ProgramWire:
    """The program's end of the wire."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")
        self._sending = threading.Lock()
        """Apart from the other: answers are taken while a call waits to be sent."""
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[dict[str, Plain]]] = {}
        self._next = 0
        self._has_ended = False

    def order(self) -> Order:
        """What there is to do; comes first."""
        return Order(**json.loads(self._file.readline(MOST_BYTES)))

    def listen(self) -> None:
        """Takes answers from now on, in a thread of its own."""
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def call(self, **what: Plain) -> Plain:
        """What the run answers to a call.

        Raises:
            RuntimeError: the call failed; says how.
        """
        answer: Future[dict[str, Plain]] = Future()
        with self._lock:
            self._next += 1
            number = self._next
            self._waiting[number] = answer
        data = _line({"number": number, **what})
        if len(data) > MOST_BYTES:
            raise RuntimeError(
                f"this call holds {len(data):,} bytes; at most {MOST_BYTES:,} are sent at once"
            )
        self._send(data)
        got = answer.result()
        if got.get("error"):
            raise RuntimeError(str(got["error"]))
        return got.get("value")

    def end(self, **what: Plain) -> None:
        """Tells what came of the program; nothing is said after it."""
        self._has_ended = True
        data = _line({"end": True, **what})
        if len(data) > MOST_BYTES:
            error = f"the answer holds {len(data):,} bytes; save() it as a file and answer in a few words"
            data = _line({"end": True, "error": error})
        self._send(data)

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._socket.sendall(data)

    def _listen(self) -> None:
        while line := self._file.readline(MOST_BYTES):
            got: dict[str, Plain] = json.loads(line)
            number = got.get("number")
            with self._lock:
                answer = self._waiting.pop(number, None) if isinstance(number, int) else None
            if answer is not None:
                answer.set_result(got)
        if not self._has_ended:
            # Whoever started this program is gone: nobody wants what comes of it.
            os._exit(1)


def _line(what: dict[str, Plain]) -> bytes:
    return json.dumps(what, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
