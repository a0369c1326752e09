"""The proof with servers that others wrote, in a short form: a server without an SDK stands for one of them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.foreign_list import SERVERS, Foreign
from benchmarks.foreign_servers import FEWEST, ground, has_done, has_told, used

SERVER = Path(__file__).parent / "servers" / "raw.py"
OBJECT = {"type": "object"}
STAND_IN = Foreign(
    "standin", "npm:none@1", "start", ("read", {}), "{token}", ("read_gone", {}), "no such file"
)


def _programs(folder: Path, token: str) -> Path:
    """A folder with a program that starts a server which reads the token and misses a file."""
    spec = folder / "spec.json"
    answers = {"read": {"content": [{"type": "text", "text": token}]}}
    tools = [{"name": name, "inputSchema": OBJECT} for name in ("read", "read_gone")]
    errors = {"read_gone": {"code": -32603, "message": "No such file"}}
    spec.write_text(json.dumps({"tools": tools, "answers": answers, "errors": errors}), encoding="utf-8")
    program = folder / "start"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -P '{SERVER}' '{spec}'\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


def test_a_server_that_does_its_work_and_tells_its_error_passes(tmp_path: Path) -> None:
    with ground(tmp_path / "work") as place:
        row = used(STAND_IN, _programs(tmp_path, place.token), place)
    assert (row["plain"], row["error"], row["status"]) == ("yes", "yes", "done")


@pytest.mark.parametrize(
    ("told", "made", "heard", "is_done"),
    [
        ("{token}", "", "standin.read gave: TOKEN", True),
        ("{token}", "", "standin.read gave: nothing", False),
        ("{token}", "", "standin.read failed: TOKEN", False),
        ("{token}", "", "", False),
        ("ok", "note.txt", "standin.read gave: ok", True),
        ("ok", "new.txt", "standin.read gave: ok", False),
        ("ok", "book.xlsx", "standin.read gave: ok", False),
    ],
)
def test_work_counts_that_only_who_did_it_can_tell_of(
    tmp_path: Path, told: str, made: str, heard: str, is_done: bool
) -> None:
    with ground(tmp_path / "work") as place:
        server = replace(STAND_IN, told=told, made=made)
        assert has_done(server, place, heard.replace("TOKEN", place.token)) is is_done


@pytest.mark.parametrize(
    ("heard", "is_told"),
    [
        ("standin.read_gone failed: No such file", True),
        ("standin.read_gone failed: it is locked", False),
        ("standin.read_gone was not called: no such file", False),
        ("", False),
    ],
)
def test_an_error_counts_that_came_from_the_server(heard: str, is_told: bool) -> None:
    assert has_told(STAND_IN, heard) is is_told


def test_the_servers_are_as_many_and_as_different_as_the_bar_says() -> None:
    assert len({one.package for one in SERVERS}) >= FEWEST
    assert len({one.name for one in SERVERS}) == len(SERVERS)
    assert all(one.told and one.refused == one.refused.casefold() != "" for one in SERVERS)
