"""The MCP server ``files`` against callers that try to leave the granted folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError

from mcp_servers import files
from tests.servers.conftest import call, text_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret\n", encoding="utf-8")
    return folder


@pytest.fixture
def granted(tmp_path: Path, outside: Path) -> Path:
    folder = tmp_path / "granted"
    folder.mkdir()
    (folder / "a.txt").write_text("mine\n", encoding="utf-8")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "dangling.txt").symlink_to(outside / "made.txt")
    (folder / "door").symlink_to(outside)
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


WAYS_OUT = [
    "../outside/secret.txt",
    "x/../../outside/secret.txt",
    "..\\outside\\secret.txt",
    "/etc/passwd",
    "link.txt",
    "door/secret.txt",
    "door/../door/secret.txt",
    "a.txt/../../outside/secret.txt",
    "",
    "a.txt\0.md",
]


@pytest.mark.parametrize("path", WAYS_OUT)
async def test_nothing_outside_is_read(granted: Path, path: str) -> None:
    result = await call(granted, "read", path=path)

    assert result.is_error
    assert "secret\n" not in text_of(result)


@pytest.mark.parametrize("path", [*WAYS_OUT, "dangling.txt", "door/new.txt", "../new.txt", "."])
async def test_nothing_outside_is_written(granted: Path, outside: Path, path: str) -> None:
    result = await call(granted, "write", path=path, content="gone")

    assert result.is_error
    assert names_in(outside) == ["secret.txt"]
    assert (outside / "secret.txt").read_text(encoding="utf-8") == "secret\n"
    assert names_in(granted.parent) == ["granted", "outside"]


@pytest.mark.parametrize("path", ["link.txt", "dangling.txt", "door/secret.txt"])
async def test_no_link_is_edited_or_moved(granted: Path, outside: Path, path: str) -> None:
    edited = await call(granted, "edit", path=path, old="secret", new="gone")
    moved = await call(granted, "move", path=path, to="stolen.txt")

    assert edited.is_error
    assert moved.is_error
    assert (outside / "secret.txt").read_text(encoding="utf-8") == "secret\n"
    assert not (granted / "stolen.txt").exists()


@pytest.mark.parametrize("to", ["../a.txt", "door/a.txt", "/tmp/a.txt", ".mcp.json", ".swarm/a.txt"])
async def test_nothing_is_moved_out_or_into_hidden_places(granted: Path, to: str) -> None:
    result = await call(granted, "move", path="a.txt", to=to)

    assert result.is_error
    assert (granted / "a.txt").read_text(encoding="utf-8") == "mine\n"


async def test_a_link_is_shown_as_one_and_never_searched(granted: Path) -> None:
    listed = await call(granted, "list")
    found = await call(granted, "search", text="secret")
    matched = await call(granted, "glob", pattern="**")

    assert "door (link, not followed)" in text_of(listed)
    links = [f"'{name}' is a link, not followed" for name in ("dangling.txt", "door", "link.txt")]
    assert found.structured_content == {"result": [], "left_out": links}
    assert matched.structured_content == {"result": ["a.txt"], "left_out": links}


async def test_a_link_put_in_place_of_a_folder_between_two_calls_is_refused(
    granted: Path, outside: Path
) -> None:
    async with Client(files.build(["--root", str(granted)])) as client:
        await client.call_tool("write", {"path": "sub/a.txt", "content": "1"})
        (granted / "sub/a.txt").unlink()
        (granted / "sub").rmdir()
        (granted / "sub").symlink_to(outside)
        result = await client.call_tool("write", {"path": "sub/a.txt", "content": "2"})

    assert text_of(result).endswith("'sub' is a file or a link, not a folder; links are not followed")
    assert not (outside / "a.txt").exists()


@pytest.mark.parametrize("path", [".swarm/runs/r.db", ".git/hooks/pre-commit", "sub/.env", ".mcp.json"])
async def test_hidden_files_are_not_written(granted: Path, path: str) -> None:
    result = await call(granted, "write", path=path, content="evil")

    assert result.is_error
    assert not (granted / path).exists()


async def test_the_frameworks_own_folder_is_not_read(granted: Path) -> None:
    (granted / ".swarm").mkdir()
    (granted / ".swarm/key").write_text("key", encoding="utf-8")

    assert (await call(granted, "read", path=".swarm/key")).is_error
    assert (await call(granted, "list", path=".swarm")).is_error


async def test_special_files_are_refused_without_waiting_for_them(
    granted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(granted)  # A socket's path may have at most 107 bytes.
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("sock")
        results = [await call(granted, "read", path=name) for name in ("pipe", "sock")]
        results += [await call(granted, "write", path=name, content="x") for name in ("pipe", "sock")]

    assert [result.is_error for result in results] == [True] * 4
    assert text_of(results[0]).endswith("'pipe' is a special file")


async def test_a_binary_file_is_refused(granted: Path) -> None:
    (granted / "image.png").write_bytes(b"\x89PNG\r\n\0\0")

    read = await call(granted, "read", path="image.png")
    edited = await call(granted, "edit", path="image.png", old="PNG", new="GIF")

    assert text_of(read).endswith("'image.png' is binary; only text files are read")
    assert edited.is_error


def test_a_pattern_that_backtracks_without_end_is_stopped(granted: Path) -> None:
    (granted / "a.txt").write_text("a" * 5_000 + "!\n", encoding="utf-8")

    with pytest.raises(ToolError, match="takes too long"):
        files.Files([granted], search_seconds=0.2).search(r"^(a|aa|a+)+\d\1$")


async def test_a_glob_that_backtracks_is_answered(granted: Path) -> None:
    (granted / ("a" * 200)).touch()

    result = await call(granted, "glob", pattern="*a" * 60 + "b")
    doubled = await call(granted, "glob", pattern="**/a/" * 6 + "*")

    assert result.structured_content == {"result": []}
    assert doubled.is_error


async def test_a_failed_write_leaves_no_temporary_file(granted: Path) -> None:
    (granted / "folder").mkdir()

    result = await call(granted, "write", path="folder", content="x")

    assert text_of(result).endswith("'folder' is a folder; name a file")
    assert names_in(granted) == [
        "a.txt",
        "dangling.txt",
        "door",
        "folder",
        "link.txt",
    ]
