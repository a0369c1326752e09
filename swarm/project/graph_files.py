"""Agents that are LangGraph graphs: Python files in ``agents/``, parsed here and imported when a step runs."""

from __future__ import annotations

import ast
from pathlib import Path

from pydantic import ValidationError

from swarm.errors import ProjectError, quoted
from swarm.nouns.card import AgentCard
from swarm.project.folders import said
from swarm.project.tool_files import parse_python
from swarm.project.wording import near, problems

GRAPH = "graph"
"""What the file defines: a graph, or a function of a model and tools that makes one."""
SETTINGS = {"TOOLS": "tools", "MODEL": "model", "TIER": "tier", "LIMITS": "limits"}
"""Constants of the file, and the keys of a card that they are."""


def read_graph_card(path: Path) -> AgentCard:
    """The card of a graph: its description is the first paragraph of the file's docstring.

    Raises:
        ProjectError: no valid Python, no docstring, no ``graph``, or a constant that means nothing.
    """
    module = parse_python(path)
    description = " ".join((ast.get_docstring(module) or "").partition("\n\n")[0].split())
    if not description:
        raise ProjectError(
            f"{said(path)}: no docstring; its first line says what the agent is for, as the planner reads it"
        )
    if GRAPH not in _defined(module):
        raise ProjectError(
            f"{said(path)}: it defines no {GRAPH!r}; name so a LangGraph graph, or a function "
            f"{GRAPH}(model, tools) that makes one"
        )
    fields = {"name": path.stem, "description": description, "graph": str(path)}
    try:
        return AgentCard.model_validate(fields | _constants(path, module))
    except ValidationError as error:
        raise ProjectError(f"{said(path)}: {problems(error, AgentCard)}") from error


def _defined(module: ast.Module) -> set[str]:
    """Names that the file gives at its top level."""
    names: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _constants(path: Path, module: ast.Module) -> dict[str, object]:
    fields: dict[str, object] = {}
    for node in module.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if name in SETTINGS:
            try:
                fields[SETTINGS[name]] = ast.literal_eval(node.value)
            except ValueError as error:
                raise ProjectError(
                    f"{said(path)}:{node.lineno}: {name} is read without running the file; write it out"
                ) from error
        elif name.isupper() and name.removesuffix("S") in {known.removesuffix("S") for known in SETTINGS}:
            raise ProjectError(f"{said(path)}:{node.lineno}: {quoted(name)}: {near(name, [*SETTINGS])}")
    return fields
