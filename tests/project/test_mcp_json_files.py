"""``.mcp.json`` as other clients write it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ProjectError
from swarm.project.mcp_json import read_mcp_json
from swarm.project.server_entry import ServerEntry


def _write(folder: Path, content: JsonValue) -> Path:
    path = folder / ".mcp.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _refusal(folder: Path, servers: JsonValue) -> str:
    path = _write(folder, {"mcpServers": servers})
    with pytest.raises(ProjectError) as refusal:
        read_mcp_json(folder, {})
    return str(refusal.value).removeprefix(f"{path}: ")


def test_a_project_without_the_file_has_no_such_servers(tmp_path: Path) -> None:
    assert read_mcp_json(tmp_path) == {}


def test_an_entry_is_read_with_its_variables_expanded(tmp_path: Path) -> None:
    entry: JsonValue = {
        "command": "npx",
        "args": ["-y", "${PACKAGE:-notes}", "${env:FOLDER}", "${workspaceFolder}/x"],
        "env": {"TOKEN": "${TOKEN}"},
        "cwd": "sub",
        "autoApprove": ["a key of another client"],
    }
    path = _write(tmp_path, {"mcpServers": {"notes": entry}, "inputs": []})

    servers = read_mcp_json(tmp_path, {"TOKEN": "t", "FOLDER": "f", "PACKAGE": ""})

    assert servers["notes"] == ServerEntry(
        name="notes",
        origin=path,
        description="npx -y ${PACKAGE:-notes} ${env:FOLDER} ${workspaceFolder}/x",
        command="npx",
        args=("-y", "notes", "f", f"{tmp_path}/x"),
        env={"TOKEN": "t"},
        cwd=tmp_path / "sub",
    )


def test_vs_codes_key_and_a_server_at_a_url_are_read(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {"servers": {"web": {"type": "http", "url": "http://localhost:1/mcp", "headers": {"A": "b"}}}},
    )

    web = read_mcp_json(tmp_path)["web"]

    assert (web.transport, web.url, web.headers) == ("http", "http://localhost:1/mcp", {"A": "b"})


def test_the_older_http_transport_is_told_apart(tmp_path: Path) -> None:
    _write(tmp_path, {"mcpServers": {"web": {"type": "sse", "url": "http://localhost:1/sse"}}})

    assert read_mcp_json(tmp_path)["web"].transport == "sse"


def test_a_disabled_server_is_left_out(tmp_path: Path) -> None:
    _write(tmp_path, {"mcpServers": {"x": {"command": "x", "disabled": True}}})

    assert read_mcp_json(tmp_path) == {}


def test_a_name_of_the_public_registry_becomes_one_that_stands_before_a_dot(tmp_path: Path) -> None:
    _write(tmp_path, {"mcpServers": {"io.github.x/notes": {"command": "x"}}})

    assert list(read_mcp_json(tmp_path)) == ["io-github-x-notes"]


def test_a_secret_does_not_show_when_an_entry_is_printed(tmp_path: Path) -> None:
    _write(tmp_path, {"mcpServers": {"x": {"command": "x", "env": {"TOKEN": "hush"}}}})

    assert "hush" not in repr(read_mcp_json(tmp_path))


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    assert _refusal(tmp_path, {"x": {"command": "x", "args": ["${TOKEN}"]}}) == (
        "server 'x': ${TOKEN} is not set; set TOKEN or write ${TOKEN:-default}"
    )


@pytest.mark.parametrize("entry", [{}, {"command": "x", "url": "http://localhost"}])
def test_an_entry_needs_a_command_or_a_url(tmp_path: Path, entry: JsonValue) -> None:
    assert _refusal(tmp_path, {"x": entry}) == (
        "server 'x': give either 'command' (a program to start) or 'url' (a server that runs)"
    )


def test_a_wrong_value_is_named_with_its_place(tmp_path: Path) -> None:
    assert _refusal(tmp_path, {"x": {"command": "x", "args": "-y"}}) == (
        "mcpServers.x.args: Input should be a valid array, got '-y'"
    )


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    entries: JsonValue = {"a.b": {"command": "x"}, "a/b": {"command": "y"}}

    assert _refusal(tmp_path, entries) == "two servers are called 'a-b'; rename one"


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".mcp.json").write_text("{", encoding="utf-8")

    with pytest.raises(ProjectError, match=r"\.mcp\.json: .*Invalid JSON: EOF while parsing"):
        read_mcp_json(tmp_path)
