"""sovereign-swarm: many small agents on local models, and proof of what they did.

The public names are here and are loaded when they are first used: ``import swarm`` loads nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from swarm import errors as errors
    from swarm.card import AgentCard as AgentCard
    from swarm.errors import LimitExceeded as LimitExceeded
    from swarm.errors import ModelError as ModelError
    from swarm.errors import PlanError as PlanError
    from swarm.errors import ProjectError as ProjectError
    from swarm.errors import RunInterrupted as RunInterrupted
    from swarm.errors import StoreError as StoreError
    from swarm.errors import SwarmError as SwarmError
    from swarm.errors import ToolError as ToolError
    from swarm.limits import Limits as Limits
    from swarm.limits import Usage as Usage
    from swarm.plan import Plan as Plan
    from swarm.plan import Step as Step
    from swarm.result import Result as Result
    from swarm.run.answer import Answer as Answer
    from swarm.run.run import Run as Run
    from swarm.run.swarm import Swarm as Swarm
    from swarm.run.swarm import run_sync as run_sync
    from swarm.tool import Tool as Tool
    from swarm.tool import ToolCall as ToolCall
    from swarm.tool import ToolContext as ToolContext
    from swarm.tool import ToolResult as ToolResult
    from swarm.tool import tool as tool

__version__ = "0.1.0"

_HOMES = {
    "AgentCard": "swarm.card",
    "Answer": "swarm.run.answer",
    "LimitExceeded": "swarm.errors",
    "Limits": "swarm.limits",
    "ModelError": "swarm.errors",
    "Plan": "swarm.plan",
    "PlanError": "swarm.errors",
    "ProjectError": "swarm.errors",
    "Result": "swarm.result",
    "Run": "swarm.run.run",
    "RunInterrupted": "swarm.errors",
    "Step": "swarm.plan",
    "StoreError": "swarm.errors",
    "Swarm": "swarm.run.swarm",
    "SwarmError": "swarm.errors",
    "Tool": "swarm.tool",
    "ToolCall": "swarm.tool",
    "ToolContext": "swarm.tool",
    "ToolError": "swarm.errors",
    "ToolResult": "swarm.tool",
    "Usage": "swarm.limits",
    "run_sync": "swarm.run.swarm",
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


def _tool(package: ModuleType) -> object:
    decorator: object = import_module("swarm.tool").tool
    return decorator


def _ignore_submodule(package: ModuleType, value: object) -> None:
    """Python binds each submodule to its package's name; ``tool`` is the decorator's."""


sys.modules[__name__].__class__ = type(
    "_Package", (ModuleType,), {"tool": property(_tool, _ignore_submodule)}
)
