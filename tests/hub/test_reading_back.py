"""Reading back what a call would change: files by their content, other servers by a tool of theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.hub.hub import Hub
from swarm.hub.tools.readback import ABSENT, OUTSIDE, read_files
from swarm.nouns.tool import CallContext, Reading, ToolCall
from swarm.project.project import Project, open_project
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
Make = Callable[..., Project]
Tell = Callable[..., CallContext]


def call(tool: str, **args: JsonValue) -> ToolCall:
    return ToolCall(tool=f"files.{tool}", args=args)


def read(folder: Path, tool: str, **args: JsonValue) -> Reading:
    reading = read_files((folder,), call(tool, **args))
    assert reading is not None
    return reading


CHANGES: list[tuple[str, dict[str, JsonValue], str]] = [
    ("write", {"path": "new/a.txt", "content": "ein großer Text\n"}, "new/a.txt"),
    ("write", {"path": "./old.txt", "content": "other\n"}, "old.txt"),
    ("edit", {"path": "old.txt", "old": "two", "new": "2"}, "old.txt"),
    ("edit", {"path": "dos.txt", "old": "one\ntwo", "new": "1\n2"}, "dos.txt"),
    ("edit", {"path": "mixed.txt", "old": "two\nthree", "new": "2\n3"}, "mixed.txt"),
    ("edit", {"path": "latin.txt", "old": "Bett", "new": "Tisch"}, "latin.txt"),
    ("edit", {"path": "japanese.txt", "old": "Tokyo", "new": "Osaka"}, "japanese.txt"),
    ("edit", {"path": "marked.txt", "old": "Zoë", "new": "Noë"}, "marked.txt"),
    ("edit", {"path": " lead.txt", "old": "one", "new": "1"}, " lead.txt"),
    ("move", {"path": "old.txt", "to": "new/b.txt"}, "new/b.txt"),
    ("move", {"path": "folder", "to": "new/folder"}, "new/folder"),
]


def fill(folder: Path) -> None:
    shutil.rmtree(folder / "new", ignore_errors=True)
    (folder / "old.txt").write_text("one\ntwo\n", encoding="utf-8")
    (folder / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    (folder / "mixed.txt").write_bytes(b"one\ntwo\r\nthree")
    (folder / "latin.txt").write_bytes("Schönes Bett für Gäste\n".encode("cp1252"))
    (folder / "japanese.txt").write_bytes(
        "これはテストです。日本語の文章を読みます。\nTokyoへ行きます。\n".encode("cp932")
    )
    (folder / "marked.txt").write_bytes("\ufeffZoë\r\n".encode())
    (folder / " lead.txt").write_text("one\n", encoding="utf-8")
    (folder / "folder").mkdir(exist_ok=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


async def test_what_is_foretold_of_a_change_is_what_the_server_makes_of_it(folder: Path, tell: Tell) -> None:
    async with Hub.open(open_project(folder)) as hub:
        for tool, args, file in CHANGES:
            fill(folder)
            before = read(folder, tool, **args)
            assert await hub.read_back(call(tool, **args)) == before
            assert not (await hub.call(call(tool, **args), tell())).is_error
            after = await hub.read_back(call(tool, **args))
            assert after is not None
            assert before.now != before.after == after.now
            assert before.files == (file,)
        shown = await hub.tools(("files.write", "files.edit", "files.move", "files.read"))
        assert [tool.effect for tool in shown] == ["verifiable", "verifiable", "verifiable", "pure"]


def test_a_change_that_the_server_refuses_foretells_nothing(folder: Path) -> None:
    assert read(folder, "edit", path="old.txt", old="three", new="3").after == ""


@pytest.mark.parametrize(
    ("name", "new"),
    [("latin.txt", "Möbel"), ("japanese.txt", "京都"), ("wide.txt", "any"), ("large.txt", "any")],
)
def test_nothing_is_foretold_where_the_server_must_guess_or_refuses(
    folder: Path, name: str, new: str
) -> None:
    (folder / "wide.txt").write_bytes("Bett Tokyo".encode("utf-16"))
    (folder / "large.txt").write_bytes(b"Bett Tokyo" + b"\n" * 10_000_000)
    old = "Tokyo" if name == "japanese.txt" else "Bett"

    assert read(folder, "edit", path=name, old=old, new=new).after == ""


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "a/../../secret.txt", "..\\secret.txt"])
def test_what_is_outside_the_granted_folders_is_not_looked_at(tmp_path: Path, path: str) -> None:
    (tmp_path / "granted").mkdir()
    readings = [read(tmp_path / "granted", "write", path=path, content="x")]
    (tmp_path / "secret.txt").write_text("other", encoding="utf-8")
    readings += [read(tmp_path / "granted", "write", path=path, content="x")]

    assert [reading.now for reading in readings] == [OUTSIDE, OUTSIDE]
    assert [reading.after for reading in readings] == ["", ""]


def test_a_huge_file_is_known_without_being_read(folder: Path) -> None:
    with (folder / "huge.log").open("wb") as file:
        file.truncate(6_000_000_000)
    before = read(folder, "move", path="huge.log", to="new.log")
    (folder / "huge.log").rename(folder / "new.log")
    after = read(folder, "move", path="huge.log", to="new.log")

    assert read(folder, "edit", path="new.log", old="x", new="y").after == ""
    assert before.after == after.now != before.now


def test_what_lies_behind_a_link_is_not_looked_at(folder: Path) -> None:
    (folder / "door").symlink_to(folder / "folder")
    assert read_files((folder,), call("write", path="door/a.txt", content="x")) is None


def test_what_is_no_file_cannot_be_read_back(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "old.txt")
    assert read_files((folder,), call("write", path="link", content="x")) is None
    assert read_files((folder,), call("write", path="old.txt/inner", content="x")) is None
    assert read(folder, "write", path="absent", content="x").now == ABSENT


async def test_a_server_reads_back_by_the_tool_that_its_settings_name(
    start_server: Start, make_project: Make
) -> None:
    entry = start_server("honest", effects={"store": "verifiable"}, read_back={"store": "rows"})
    async with Hub.open(make_project(entry)) as hub:
        store: dict[str, JsonValue] = {"path": "a", "count": 2}
        two = await hub.read_back(ToolCall(tool="honest.store", args={**store}))
        again = await hub.read_back(ToolCall(tool="honest.store", args={**store}))
        three = await hub.read_back(ToolCall(tool="honest.store", args={**store, "count": 3}))
        nothing = await hub.read_back(ToolCall(tool="honest.key"))
    assert two is not None
    assert three is not None
    assert two == again != three
    assert (two.after, nothing) == ("", None)
