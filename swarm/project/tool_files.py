"""Files of native tools, parsed and never imported: which functions they offer and what each says."""

from __future__ import annotations

import ast
import inspect
import warnings
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict

from swarm.errors import ProjectError, quoted, shortened
from swarm.nouns.tool import EffectClass
from swarm.project.folders import read_text, said

EFFECTS: tuple[EffectClass, ...] = get_args(EffectClass)


class NativeFunction(BaseModel):
    """A function of a tool file as its source declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    """First paragraph of its docstring, on one line."""
    effect: EffectClass
    line: int


class ToolFile(BaseModel):
    """A file of native tools."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Its stem: what stands before the dot in ``file.function``."""
    path: Path
    functions: tuple[NativeFunction, ...]


def read_tool_file(path: Path) -> ToolFile:
    """The tools in a file.

    Raises:
        ProjectError: no valid Python, no tool in it, or a tool without docstring or effect class.
    """
    functions: dict[str, NativeFunction] = {}
    for node in parse_python(path).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        mark = next((found for found in node.decorator_list if _is_mark(found)), None)
        if mark is None:
            continue
        if node.name in functions:
            before = functions[node.name].line
            raise ProjectError(
                f"{said(path)}:{node.lineno}: {quoted(node.name)} is a tool in line {before} already; rename one"
            )
        functions[node.name] = _function(path, node, mark)
    if not functions:
        raise ProjectError(
            f"{said(path)}: no function is marked @tool(effect=...); mark one, or move the file elsewhere"
        )
    return ToolFile(name=path.stem, path=path, functions=tuple(functions.values()))


def parse_python(path: Path) -> ast.Module:
    """The syntax tree of a Python file.

    Raises:
        ProjectError: it cannot be read or is no valid Python; names the line.
    """
    text = read_text(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes: the file's own affair when it is imported
            return ast.parse(text, filename=str(path))
    except SyntaxError as error:
        why = shortened(str(error.msg), 120)
        raise ProjectError(f"{said(path)}:{error.lineno}: no valid Python: {why}") from error
    except (ValueError, OverflowError) as error:
        raise ProjectError(f"{said(path)}: no valid Python: {shortened(str(error), 120)}") from error
    except (RecursionError, MemoryError) as error:
        raise ProjectError(
            f"{said(path)}: its expressions nest too deep to be read; break them into lines of their own"
        ) from error


def first_paragraph(docstring: str | None) -> str:
    """The first paragraph of a docstring, on one line; empty without one."""
    return " ".join(inspect.cleandoc(docstring or "").partition("\n\n")[0].split())


def _is_mark(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (isinstance(target, ast.Name) and target.id == "tool") or (
        isinstance(target, ast.Attribute) and target.attr == "tool"
    )


def _function(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef, mark: ast.expr) -> NativeFunction:
    description = first_paragraph(ast.get_docstring(node))
    if not description:
        raise ProjectError(
            f"{said(path)}:{node.lineno}: the tool {quoted(node.name)} has no docstring; say what it gives"
        )
    return NativeFunction(
        name=node.name, description=description, effect=_effect(path, mark), line=node.lineno
    )


def _effect(path: Path, mark: ast.expr) -> EffectClass:
    values = (
        [word.value for word in mark.keywords if word.arg == "effect"] if isinstance(mark, ast.Call) else []
    )
    given = values[0].value if values and isinstance(values[0], ast.Constant) else None
    for effect in EFFECTS:
        if effect == given:
            return effect
    written = _written(mark)
    raise ProjectError(
        f'{said(path)}:{mark.lineno}: @{written} names no effect class; write @tool(effect="...") with one of '
        f"{', '.join(EFFECTS)}"
    )


def _written(mark: ast.expr) -> str:
    try:
        return shortened(ast.unparse(mark))
    except RecursionError:
        return "tool(…)"
