"""sovereign-swarm: many small agents on local models, and proof of what they did.

The public names are here and are loaded when they are first used: ``import swarm`` loads nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from swarm import errors as errors
    from swarm.errors import LimitExceeded as LimitExceeded
    from swarm.errors import ModelError as ModelError
    from swarm.errors import PlanError as PlanError
    from swarm.errors import ProjectError as ProjectError
    from swarm.errors import RunInterrupted as RunInterrupted
    from swarm.errors import StoreError as StoreError
    from swarm.errors import SwarmError as SwarmError
    from swarm.errors import ToolError as ToolError
    from swarm.nouns.card import AgentCard as AgentCard
    from swarm.nouns.limits import Limits as Limits
    from swarm.nouns.limits import Usage as Usage
    from swarm.nouns.plan import Plan as Plan
    from swarm.nouns.plan import Step as Step
    from swarm.nouns.result import Result as Result
    from swarm.nouns.tool import Tool as Tool
    from swarm.nouns.tool import ToolCall as ToolCall
    from swarm.nouns.tool import ToolContext as ToolContext
    from swarm.nouns.tool import ToolResult as ToolResult
    from swarm.nouns.tool import tool as tool
    from swarm.run.answer import Answer as Answer
    from swarm.run.run import Run as Run
    from swarm.run.swarm import Swarm as Swarm
    from swarm.run.swarm import run_sync as run_sync

__version__ = "0.1.0"

_HOMES = {
    name: module
    for module, names in {
        "swarm.errors": "LimitExceeded ModelError PlanError ProjectError RunInterrupted StoreError SwarmError ToolError",
        "swarm.nouns.card": "AgentCard",
        "swarm.nouns.limits": "Limits Usage",
        "swarm.nouns.plan": "Plan Step",
        "swarm.nouns.result": "Result",
        "swarm.nouns.tool": "Tool ToolCall ToolContext ToolResult tool",
        "swarm.run.answer": "Answer",
        "swarm.run.run": "Run",
        "swarm.run.swarm": "Swarm run_sync",
    }.items()
    for name in names.split()
}

__all__ = [
    "AgentCard",
    "Answer",
    "LimitExceeded",
    "Limits",
    "ModelError",
    "Plan",
    "PlanError",
    "ProjectError",
    "Result",
    "Run",
    "RunInterrupted",
    "Step",
    "StoreError",
    "Swarm",
    "SwarmError",
    "Tool",
    "ToolCall",
    "ToolContext",
    "ToolError",
    "ToolResult",
    "Usage",
    "__version__",
    "errors",
    "run_sync",
    "tool",
]


def __getattr__(name: str) -> object:
    if name == "errors":
        return import_module("swarm.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'swarm' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    if isinstance(value, type):
        _tell_fields(value)
    globals()[name] = value
    return value


def _tell_fields(noun: type) -> None:
    """Puts what the fields of a class mean, which stands below each in the source, where ``help`` shows it."""
    import ast
    import inspect

    try:
        module = ast.parse(inspect.getsource(sys.modules[noun.__module__]))
    except (OSError, TypeError, SyntaxError):
        return  # installed without sources
    none: list[ast.stmt] = []
    body = next(
        (one.body for one in module.body if isinstance(one, ast.ClassDef) and one.name == noun.__name__), none
    )
    found: object = getattr(noun, "model_fields", None)
    known = cast("dict[str, FieldInfo]", found if isinstance(found, dict) else {})
    told: list[str] = []
    for field, below in zip(body, [*body[1:], None], strict=True):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        name, about = field.target.id, ""
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            about = " ".join(str(below.value.value).split())
        if not name.startswith("_"):
            told.append(f"    {name}: {ast.unparse(field.annotation)}{' - ' if about else ''}{about}")
        if about and name in known and not known[name].description:
            known[name].description = about
    if told and "\nFields:\n" not in (noun.__doc__ or ""):
        noun.__doc__ = f"{inspect.getdoc(noun) or ''}\n\nFields:\n" + "\n".join(told)


def __dir__() -> list[str]:
    return sorted(__all__)
