"""The text of a program as it is run: functions stay what they are, tables are there by their names, and lines that
are of another form than those that a loop is about can be passed over."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

KEPT = "_given_"
SEEN, PASSED = "_seen", "_passed"
PASSABLE = ("IndexError", "ValueError", "AttributeError", "KeyError")
"""What a line of another form raises in a loop that takes lines apart."""
MOST_PASSED = 0.5
"""Share of its lines that a loop may pass over."""
_NUMBER = re.compile(r"\d[\d.,]*")
_LETTERS = re.compile(r"[^\W\d_]+")
FORM_WORDS = 3
"""Words of a line's beginning that its form is told by."""


def prepared(program: str, functions: Collection[str], file: str) -> ast.Module:
    """The program, with each function still there where a variable has its name: ``lines = lines(name)``.

    Raises:
        SyntaxError: it is none.
    """
    tree = ast.parse(program, file)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    hidden = _stored(tree) - own
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) as called) if name in functions and name in hidden:
                called.id = f"{KEPT}{name}"
            case _:
                pass
    return tree


def names_used(tree: ast.Module) -> set[str]:
    """The names that are read and never given a value."""
    loaded = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return loaded - _stored(tree)


def _stored(tree: ast.Module) -> set[str]:
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


class _Lenient(ast.NodeTransformer):
    """Lets each innermost loop over one variable go on behind what a line of another form raises."""

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        is_inner = not any(
            isinstance(one, ast.For | ast.While) for part in node.body for one in ast.walk(part)
        )
        if not is_inner or not isinstance(node.target, ast.Name):
            return node
        place = f"{node.lineno}, {node.target.id}"
        inside = [one for part in node.body for one in ast.walk(part) if isinstance(one, ast.stmt)]
        if len({one.lineno for one in inside}) < len(inside):
            return node  # Of two statements on a line nothing tells which of them was done.
        changes = min((one.end_lineno or one.lineno for one in inside if _changes(one)), default=0)
        body: list[ast.stmt] = [*ast.parse(f"{SEEN}({place})").body, *node.body]
        caught = ast.parse(
            f"try:\n    pass\nexcept ({', '.join(PASSABLE)}) as _raised:\n    {PASSED}({place}, _raised, {changes})"
        ).body
        (attempt,) = caught
        assert isinstance(attempt, ast.Try)
        attempt.body = body
        node.body = [ast.copy_location(attempt, node.body[0])]
        return ast.fix_missing_locations(node)


def _changes(node: ast.stmt) -> bool:
    """Whether a statement changes what is there beyond a variable: adds to it, puts into it, calls for its effect."""
    match node:
        case ast.Assign(targets=targets):
            return not all(isinstance(target, ast.Name | ast.Tuple) for target in targets)
        case ast.AugAssign() | ast.Delete() | ast.Expr(value=ast.Call()):
            return True
        case _:
            return False


def lenient(tree: ast.Module) -> ast.Module:
    """The program, with lines of another form passed over; ``Passes`` tells which."""
    _Lenient().visit(tree)
    return ast.fix_missing_locations(tree)


@dataclass
class Passes:
    """The lines that the loops of a program saw and passed over."""

    _seen: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict[int, Counter[str]](Counter))
    """Forms of the lines of each loop, by the number of its line in the program."""
    _passed: dict[int, list[str]] = field(default_factory=lambda: defaultdict[int, list[str]](list))
    _first: BaseException | None = None

    def globals(self) -> Mapping[str, object]:
        """What the lenient program calls."""
        return {SEEN: self.see, PASSED: self.take}

    def see(self, loop: int, value: object) -> None:
        """A loop begins with a value."""
        if isinstance(value, str):
            self._seen[loop][form_of(value)] += 1

    def take(self, loop: int, value: object, raised: BaseException, changes: int) -> None:
        """What a loop can't take apart; only lines of text are passed over, and only whole: ``changes`` is the line
        of the program from which on the loop changes anything, 0 where it never does.

        Raises:
            BaseException: what was raised, for any other value, and where the loop had changed something by then.
        """
        trace = raised.__traceback__
        if not isinstance(value, str) or (changes and trace is not None and trace.tb_lineno > changes):
            raise raised
        self._passed[loop].append(value)
        self._first = self._first or raised

    def check(self) -> str:
        """What was passed over, in words.

        Raises:
            BaseException: what the first line raised, where lines of the same form were kept, or too many
                were passed over.
        """
        said: list[str] = []
        for loop, lines in self._passed.items():
            forms = Counter(form_of(line) for line in lines)
            whole = sum(self._seen[loop].values())
            is_apart = all(self._seen[loop][form] == count for form, count in forms.items())
            if self._first is not None and (not is_apart or len(lines) > MOST_PASSED * whole):
                raise self._first
            said.append(
                f"{len(lines)} of {whole} lines have another form and were passed over, as {lines[0].strip()[:60]!r}"
            )
        return "; ".join(said)


def form_of(line: str) -> str:
    """The form of a line: how its first words look, numbers and letters each taken as one."""
    words = _LETTERS.sub("a", _NUMBER.sub("9", line)).split()[:FORM_WORDS]
    return " ".join([" " * line.startswith((" ", "\t")), *words])
