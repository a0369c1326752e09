"""The MCP server ``files`` where something cannot be read: each place says so, and none shows it as empty."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from pydantic import JsonValue

from mcp_servers import files
from mcp_servers.files_parts.walk import Walk, glob_of, walk
from tests.servers.conftest import call, text_of
from tests.servers.spoiled import CONTENTS, NAMES, PLACES, RAW_NAMES, as_nobody

pytestmark = pytest.mark.anyio

UNREADABLE = PLACES | CONTENTS


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.md").write_text("The kettle.\n", encoding="utf-8")
    return tmp_path


def data_of(result: CallToolResult) -> Mapping[str, JsonValue]:
    assert result.structured_content is not None
    data: Mapping[str, JsonValue] = result.structured_content
    return data


@pytest.mark.parametrize("fault", UNREADABLE)
async def test_reading_says_what_cannot_be_read(box: Path, fault: str) -> None:
    UNREADABLE[fault](box / "in" / "bad.md")

    result = await call(box, "read", path="in/bad.md")

    assert result.is_error
    assert "'in/bad.md'" in text_of(result)


@pytest.mark.parametrize(
    "path",
    [
        "in/gone.md",
        "in/good.md/inner.md",
        "in",
        "in/" + "x" * 300,
        "in/a\0b.md",
        "../in/good.md",
        "/etc/hosts",
        "in/a\nb.md",
    ],
)
async def test_reading_says_what_is_no_path(box: Path, path: str) -> None:
    assert (await call(box, "read", path=path)).is_error


@pytest.mark.parametrize("fault", PLACES)
async def test_a_pattern_says_which_match_is_no_file(box: Path, fault: str) -> None:
    PLACES[fault](box / "in" / "bad.md")

    result = await call(box, "glob", pattern="in/*.md")

    assert data_of(result)["result"] == ["in/good.md"]
    assert "'in/bad.md' is a " in str(data_of(result)["left_out"])
    assert "'in/bad.md' is a " in text_of(result)


@pytest.mark.parametrize("name", [*(name.encode() for name in NAMES), *RAW_NAMES])
@pytest.mark.parametrize("tool", ["glob", "list", "search"])
async def test_names_that_cannot_be_shown_are_spelled_out(box: Path, name: bytes, tool: str) -> None:
    (box / "in" / os.fsdecode(name)).write_text("The kettle.\n", encoding="utf-8")
    arguments = {"glob": {"pattern": "in/*"}, "list": {}, "search": {"text": "kettle"}}[tool]

    result = await call(box, tool, **arguments)

    (told,) = text_of(result).partition("[left out:\n")[2].removesuffix("\n]").splitlines()
    assert data_of(result)["left_out"] == [told]
    assert told.startswith("'in/")
    assert "\\" in told
    assert told.isprintable()
    assert told.endswith(".md' has a name with signs that cannot be written; rename it")


@pytest.mark.parametrize("fault", UNREADABLE)
async def test_a_search_says_which_files_it_did_not_read(box: Path, fault: str) -> None:
    UNREADABLE[fault](box / "in" / "bad.md")

    for wanted, hits in (("kettle", 1), ("pot", 0)):
        result = await call(box, "search", text=wanted)
        rows = data_of(result)["result"]
        assert isinstance(rows, list)
        assert len(rows) == hits
        if fault != "a folder":  # It has no text, and what is in it was searched.
            assert "'in/bad.md' " in str(data_of(result)["left_out"])
            assert "'in/bad.md' " in text_of(result)


@pytest.mark.parametrize("fault", PLACES)
async def test_a_listing_shows_what_is_no_file(box: Path, fault: str) -> None:
    PLACES[fault](box / "in" / "bad.md")

    lines = text_of(await call(box, "list")).splitlines()

    (shown,) = [line for line in lines if line.startswith("in/bad.md")]
    assert shown in {"in/bad.md/", "in/bad.md (link, not followed)", "in/bad.md (special file)"}


def test_what_may_not_be_read_is_said_everywhere() -> None:
    with as_nobody() as folder:
        for name in ("shut", "blind", "in"):
            (folder / name).mkdir()
            (folder / name / "a.md").write_text("The kettle.\n", encoding="utf-8")
        (folder / "in" / "a.md").chmod(0o000)
        (folder / "shut").chmod(0o000)
        (folder / "blind").chmod(0o400)  # Its names may be read, and nothing behind them.
        server = files.Files([folder])
        for path in ("in/a.md", "shut/a.md", "blind/a.md"):
            with pytest.raises(ToolError, match="Permission denied"):
                server.read(path)
        shut, blind = (f"'{name}' cannot be opened: Permission denied" for name in ("shut", "blind"))
        for pattern, told in (
            ("**/*.md", [shut]),
            ("*/a.md", [blind, shut]),
            ("shut/*.md", [shut]),
            ("blind/a.md", [blind]),
        ):
            assert data_of(server.glob(pattern))["left_out"] == told
        searched = text_of(server.search("kettle"))
        listed = text_of(server.list())
        assert shut in searched
        assert "'blind/a.md' cannot be used: Permission denied" in searched
        for name in ("shut", "blind"):
            assert f"{name} (cannot be opened: Permission denied)" in listed
        assert "'in/a.md' cannot be used: Permission denied" in searched


def test_a_device_is_never_read() -> None:
    server = files.Files([Path("/dev")])
    with pytest.raises(ToolError, match="'zero' is a special file"):
        server.read("zero")
    assert data_of(server.glob("zero")) == {"result": [], "left_out": ["'zero' is a special file"]}
    assert "'zero' is a special file" in text_of(server.search("x", "zero"))


def entries(folder: Path, pattern: str, most: int) -> tuple[list[str], list[str]]:
    place = files.Files([folder]).roots[0]
    made = Walk(most)
    found = walk(place, glob_of(pattern.split("/")), made)
    return [entry.place.shown for entry in found if entry.kind == "file"], made.told()


def test_only_folders_that_can_match_are_walked(tmp_path: Path) -> None:
    for folder, count in (("data", 500), ("notes", 10)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number:03}.md").touch()

    assert entries(tmp_path, "notes/*.md", 12) == ([f"notes/{n:03}.md" for n in range(10)], [])
    assert entries(tmp_path, "n*/*.md", 12) == ([f"notes/{n:03}.md" for n in range(10)], [])
    assert entries(tmp_path, "data/007.md", 3) == (["data/007.md"], [])


def test_a_walk_that_stops_says_where(tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        for number in range(10):
            (tmp_path / folder / f"{number}.md").touch()

    assert entries(tmp_path, "**/*.md", 13)[1] == [
        "'b' and 1 more folders are too much to look into in one call"
    ]
    assert entries(tmp_path, "**/*.md", 8)[1] == [
        "'a' holds too much to look at in one call",
        "'b' and 1 more folders are too much to look into in one call",
    ]
    assert entries(tmp_path, "**/*.md", 33)[1] == []


async def test_many_faults_are_told_by_twenty_and_a_count(tmp_path: Path) -> None:
    for number in range(50):
        os.mkfifo(tmp_path / f"{number:02}.md")

    left_out = data_of(await call(tmp_path, "glob", pattern="*.md"))["left_out"]

    assert isinstance(left_out, list)
    assert left_out[-1] == "and 30 more"
    assert len(left_out) == 21


def test_a_list_that_no_answer_holds_is_cut_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is shortened, as millions of files take minutes to make."""
    monkeypatch.setattr(files, "DATA_BYTES", 1_000)
    for number in range(100):
        (tmp_path / f"{number:036}.md").touch()
    result = files.Files([tmp_path]).glob("*.md")
    rows = data_of(result)["result"]

    assert isinstance(rows, list)
    assert len(rows) == 23
    assert data_of(result)["left_out"] == ["77 of 100: the answer would be too large"]
    assert data_of(result)["groups"] == [{"folder": "", "ending": ".md", "files": 100}]


async def test_folders_deeper_than_are_looked_into_are_told(tmp_path: Path) -> None:
    at = tmp_path
    for _ in range(105):
        at /= "d"
    at.mkdir(parents=True)
    (at / "a.md").touch()

    result = await call(tmp_path, "glob", pattern="**/*.md")

    assert data_of(result)["result"] == []
    assert "' is too deep to be looked into" in str(data_of(result)["left_out"])


async def test_folders_are_not_made_without_end(tmp_path: Path) -> None:
    result = await call(tmp_path, "write", path="d/" * 60 + "a.md", content="x")

    assert text_of(result).endswith("that is over 50 folders within each other; use a shorter path")
    assert not (tmp_path / "d").exists()


@pytest.fixture
def nested(tmp_path: Path) -> Generator[Path]:
    """A thousand folders within each other, deeper than Python's own removal goes."""
    handle = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("d", dir_fd=handle)
        outer, handle = handle, os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(outer)
    os.close(handle)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_thousand_nested_folders_stop_nothing(nested: Path) -> None:
    (nested / "a.md").write_text("The kettle.\n", encoding="utf-8")
    server = files.Files([nested])

    assert data_of(server.glob("**/*.md"))["result"] == ["a.md"]
    assert "a.md:1: The kettle." in text_of(server.search("kettle"))
    with pytest.raises(ToolError, match=r"did you mean 'a\.md'"):
        server.read("A.md")
    assert text_of(server.list()).startswith("a.md 12\n")
