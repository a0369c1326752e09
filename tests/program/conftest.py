"""Programs in their own processes, in the sandbox that works here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.program.dialogue import SECONDS, CallRefused, Serve
from swarm.program.functions import Functions
from swarm.program.outcome import Outcome
from swarm.program.overlay import Overlay
from swarm.program.program_process import run_program
from swarm.program.program_wire import Order, ProgramWire, TableFiles
from swarm.program.querying import Catalogue
from swarm.sandbox.confiner import choose

Ran = Callable[..., Awaitable[Outcome]]
Here = Callable[..., Functions]


async def no_calls(call: dict[str, JsonValue]) -> JsonValue:
    """Answers no call."""
    raise CallRefused(f"nobody answers {call.get('call')}")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with a few files of each kind."""
    place = tmp_path / "workspace"
    (place / "notes").mkdir(parents=True)
    (place / "notes" / "ann.txt").write_text("guest: Ann\n2 nights\n", encoding="utf-8")
    (place / "notes" / "bob.txt").write_text("guest: Bob\n5 nights\n", encoding="utf-8")
    (place / "prices.csv").write_text("place,price\npool,4.5\ngym,7\n", encoding="utf-8")
    return place


@pytest.fixture
def ran(workspace: Path) -> Ran:
    """Runs a program over the workspace in a process of its own."""

    async def run(
        program: str, serve: Serve = no_calls, *, seconds: float = SECONDS, **given: object
    ) -> Outcome:
        order = Order(
            program, str(workspace), "", "", tables=[TableFiles(name="prices", pattern="prices.csv")]
        )
        order = replace(order, **given)  # type: ignore[arg-type]  # a test names fields of an order
        return await run_program(order, serve, choose("auto"), seconds=seconds)

    return run


@pytest.fixture
def here(tmp_path: Path, workspace: Path) -> Here:
    """The functions over the workspace, in this process and without a run."""

    def functions(
        tables: list[TableFiles] | None = None,
        databases: list[str] | None = None,
        results: dict[str, JsonValue] | None = None,
        *,
        is_lenient: bool = False,
    ) -> Functions:
        written, scratch = tmp_path / "written", tmp_path / "scratch"
        written.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True)
        overlay = Overlay(workspace, written)
        listed = [TableFiles(name="prices", pattern="prices.csv")] if tables is None else tables
        order = Order(
            program="",
            workspace=str(overlay.workspace),
            written="",
            scratch=str(scratch),
            tables=listed,
            databases=databases or [],
            results=results or {},
            is_lenient=is_lenient,
        )
        return Functions(overlay, Catalogue(overlay, order), _NoWire(), order)

    return functions


class _NoWire(ProgramWire):
    def __init__(self) -> None: ...

    def call(self, **what: object) -> None:
        raise AssertionError(f"nobody answers {what}")
