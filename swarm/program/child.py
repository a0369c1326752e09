"""The process of a program: takes its order from the wire, runs the program, tells what came of it.

Started by ``boot.py``. The clock stands still and chance is seeded by the run, so that the
same program over the same files gives the same.
"""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import importlib
import io
import os
import random
import re
import reprlib
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from swarm.program import fixed_time as clock
from swarm.program.functions import Functions
from swarm.program.hints import hint
from swarm.program.overlay import Overlay
from swarm.program.program_wire import MOST_PRINTED, Order, ProgramWire
from swarm.program.querying import Catalogue
from swarm.program.source_text import KEPT, Passes, lenient, names_used, prepared

NAME = "program.py"
PACKAGE = Path(__file__).parent.parent
MOST_VALUES = 4
"""Of names that are shown where a program failed."""
reprlib.aRepr.maxstring = reprlib.aRepr.maxother = 100


def main(descriptor: int) -> None:
    """Does one order and ends."""
    line = ProgramWire(socket.socket(fileno=descriptor))
    order = line.order()
    line.listen()
    overlay = Overlay(Path(order.workspace), Path(order.written))
    catalogue = Catalogue(overlay, order)
    functions = Functions(overlay, catalogue, line, order)
    os.chdir(order.workspace)
    sys.addaudithook(_noting(overlay))
    clock.stop(order.now)
    random.seed(order.seed)
    printed = _Printed()
    error = passed = ""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            passed = run(order, functions, overlay)
        except SystemExit as leave:
            error = "" if leave.code in (None, 0) else f"the program left with {leave.code!r}"
        except BaseException as raised:  # noqa: BLE001  # whatever a program raises is told
            error = told(raised, order.program)
    if printed.is_cut and not (functions.has_answer or overlay.has_changes):
        error = (
            error or f"it printed over {MOST_PRINTED:,} characters and gave nothing else; save() or answer()"
        )
    line.end(
        error=error,
        printed=printed.getvalue(),
        answer=functions.last_answer,
        has_answer=functions.has_answer,
        read={name: [*seen] for name, seen in overlay.read.items()},
        listed=[*overlay.listed],
        passed=passed,
        removed=[*sorted(overlay.removed)],
    )


def run(order: Order, functions: Functions, overlay: Overlay) -> str:
    """Runs the program with its functions as globals, and what earlier steps gave by their ids; what it passed
    over, in words.

    Where it fails at lines of another form than the others it is run again without them. What it had asked the
    run for by then can't be asked again for sure, so such a program fails.
    """
    given = functions.given()
    tree = prepared(order.program, given, NAME)
    try:
        exec(compile(tree, NAME, "exec"), _globals(order, functions, tree))  # in a sandbox
    except (IndexError, ValueError, AttributeError, KeyError):
        if functions.has_asked or not order.is_lenient:
            raise
        overlay.forget()
        functions.forget()
        passes = Passes()
        again = lenient(prepared(order.program, given, NAME))
        names = {**_globals(order, functions, again), **passes.globals()}
        exec(compile(again, NAME, "exec"), names)  # in a sandbox
        return passes.check()
    return ""


def _globals(order: Order, functions: Functions, tree: ast.Module) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "__main__", "__builtins__": {**vars(builtins), **usual()}}
    names |= {
        name: functions.table(name) for name in names_used(tree) & set(functions.names()) - set(usual())
    }
    names |= order.results
    names |= {"results": order.results, "item": order.item}
    names |= functions.given()
    return names | {f"{KEPT}{name}": function for name, function in functions.given().items()}


def usual() -> dict[str, object]:
    """What programs use and forget to import, by the names that it goes by."""
    modules: dict[str, object] = {
        name: importlib.import_module(name)
        for name in (
            "collections",
            "csv",
            "datetime",
            "hashlib",
            "itertools",
            "json",
            "math",
            "os",
            "re",
            "statistics",
        )
    }
    return modules | {"Counter": collections.Counter, "defaultdict": collections.defaultdict, "Path": Path}


def told(raised: BaseException, program: str) -> str:
    """What went wrong, for whoever wrote the program: the line it stands in and the error."""
    frames = [frame for frame in traceback.extract_tb(raised.__traceback__) if frame.filename == NAME]
    number = frames[-1].lineno if frames else getattr(raised, "lineno", None)
    lines = program.splitlines()
    place = ""
    if isinstance(number, int) and 0 < number <= len(lines):
        place = f"line {number}, {lines[number - 1].strip()[:120]!r}: "
    text = str(raised) if not isinstance(raised, KeyError) else f"no key {raised}"
    values = _values(raised, lines[number - 1]) if place and isinstance(number, int) else ""
    advice = hint(raised)
    return f"{place}{type(raised).__name__}: {text}"[:2_000] + (f"; {advice}" if advice else "") + values


def _values(raised: BaseException, line: str) -> str:
    """What the names of the line stood for where it failed: more than the error itself this tells what was wrong."""
    trace = raised.__traceback__
    found: dict[str, object] = {}
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == NAME:
            found = {**trace.tb_frame.f_globals, **trace.tb_frame.f_locals}
        trace = trace.tb_next
    names = dict.fromkeys(re.findall(r"[A-Za-z_]\w*", line))
    shown = [
        f"{name} = {reprlib.repr(found[name])}" for name in names if name in found and _is_value(found[name])
    ]
    return f"; there {', '.join(shown[:MOST_VALUES])}" if shown else ""


def _is_value(value: object) -> bool:
    return isinstance(value, str | int | float | list | tuple | dict | set | None) and not isinstance(
        value, bool
    )


def _noting(overlay: Overlay) -> Callable[[str, tuple[object, ...]], None]:
    """Notes the files of the workspace that are read without the functions, by ``pathlib`` or ``sqlite3``."""
    inside = f"{overlay.workspace}{os.sep}"
    of_python = tuple(f"{place}{os.sep}" for place in (PACKAGE, sys.prefix, sys.base_prefix))

    def note(event: str, details: tuple[object, ...]) -> None:
        if event not in ("open", "sqlite3.connect") or not isinstance(details[0], str | bytes):
            return
        path = os.path.abspath(os.fsdecode(details[0]))  # noqa: PTH100  # a Path costs more, and this is called often
        if path.startswith(inside) and not path.startswith(of_python):
            overlay.note_read(path[len(inside) :])

    return note


class _Printed(io.StringIO):
    """What a program prints, up to a bound."""

    is_cut = False

    def write(self, text: str) -> int:
        room = max(MOST_PRINTED - self.tell(), 0)
        super().write(text[:room])
        self.is_cut = self.is_cut or len(text) > room
        return len(text)
