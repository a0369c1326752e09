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


def _problems(folder: Path, servers: dict[str, JsonValue]) -> dict[str, str]:
    """Why which of these cannot be used; a good one stands beside them, and works."""
    _write(folder, {"mcpServers": {"good": {"command": "x"}, **servers}})
    found = read_mcp_json(folder, {})
    assert found["good"].problem == ""
    return {name: entry.problem for name, entry in found.items() if entry.problem}


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
        parallel=1,
        variables=("f", "t"),
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
    assert _problems(tmp_path, {"x": {"command": "x", "args": ["${TOKEN}"]}}) == {
        "x": "${TOKEN} is not set; set TOKEN or write ${TOKEN:-default}"
    }


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({}, "give either 'command' (a program to start) or 'url' (a server that runs)"),
        (
            {"uri": "http://localhost"},
            "give either 'command' (a program to start) or 'url' (a server that runs); it has 'uri'",
        ),
        (
            {"command": "x", "url": "http://localhost"},
            "give either 'command' (a program to start) or 'url' (a server that runs)",
        ),
        ({"comand": "x"}, "there is no key 'comand'; did you mean 'command'?"),
        ({"command": "x", "arg": []}, "there is no key 'arg'; did you mean 'args'?"),
        ({"url": "http://localhost", "header": {}}, "there is no key 'header'; did you mean 'headers'?"),
        ({"command": "x", "args": "-y"}, "'args' must be a list of texts"),
        ({"command": "x", "args": [["-y"]]}, "'args' must be a list of texts"),
        ({"command": "x", "env": ["A=b"]}, "'env' must be an object of texts"),
        ({"command": "x", "env": {"A": {}}}, "'env' must be an object of texts; 'A' has none"),
        ({"command": ["x"]}, "'command' must be a text"),
        ({"command": "x\0"}, "'command' holds a NUL character, which nothing can be called"),
        ({"command": "x", "cwd": "a\0b"}, "'cwd' holds a NUL character, which nothing can be called"),
        (
            {"command": "x", "env": {"A": "b\0"}},
            "'env' must be an object of texts, and one holds a NUL character",
        ),
        (
            {"type": "websocket", "url": "ws://localhost"},
            "its type is not known here; known: stdio, http, streamable-http, streamableHttp, streamable_http, sse",
        ),
        ({"type": "sse", "command": "x"}, "type 'sse' goes with 'url', not with 'command'"),
        (
            {"url": "localhost/mcp"},
            "'url' is no address of a server; write http://HOST:PORT/PATH or https://…",
        ),
        ({"url": "http://[::1"}, "'url' is no address of a server; write http://HOST:PORT/PATH or https://…"),
        ("npx", "it must be an object with 'command' or 'url'"),
        (None, "it must be an object with 'command' or 'url'"),
    ],
)
def test_an_entry_that_cannot_be_used_is_off_with_its_reason_and_the_others_work(
    tmp_path: Path, entry: JsonValue, problem: str
) -> None:
    assert _problems(tmp_path, {"x": entry}) == {"x": problem}


@pytest.mark.parametrize(
    ("entry", "args", "env"),
    [
        ({"args": None, "env": None, "cwd": None, "url": None, "headers": None}, (), {}),
        ({"args": ["-p", 8080, True, 1.5]}, ("-p", "8080", "true", "1.5"), {}),
        ({"env": {"PORT": 8080, "ON": False, "NO": None}}, (), {"PORT": "8080", "ON": "false"}),
        ({"timeout": 5, "description": "d", "tools": ["*"], "alwaysAllow": []}, (), {}),
    ],
)
def test_what_is_null_is_not_given_and_a_number_is_its_text(
    tmp_path: Path, entry: dict[str, JsonValue], args: tuple[str, ...], env: dict[str, str]
) -> None:
    _write(tmp_path, {"mcpServers": {"x": {"command": "x", **entry}}})

    found = read_mcp_json(tmp_path, {})["x"]

    assert (found.problem, found.args, found.env, found.cwd) == ("", args, env, tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        {"disabled": True, "type": "never heard of"},
        {"disabled": True, "command": 5, "args": "${UNSET}"},
        {"enabled": False, "url": "${UNSET}"},
        {"disabled": True},
    ],
)
def test_a_disabled_entry_is_not_looked_at(tmp_path: Path, entry: JsonValue) -> None:
    assert _problems(tmp_path, {"x": entry}) == {}


@pytest.mark.parametrize("key", ["url", "serverUrl", "httpUrl"])
@pytest.mark.parametrize(
    ("more", "address", "transport"),
    [
        ({}, "http://localhost:1/mcp", "http"),
        ({}, "http://localhost:1/sse", "sse"),
        ({}, "http://localhost:1/sse/?key=1", "sse"),
        ({"type": "http"}, "http://localhost:1/sse", "http"),
        ({"transport": "sse"}, "http://localhost:1/mcp", "sse"),
        ({"transportType": "streamable-http"}, "http://localhost:1/mcp", "http"),
    ],
)
def test_an_address_is_read_under_each_name_and_its_transport_with_it(
    tmp_path: Path, key: str, more: dict[str, JsonValue], address: str, transport: str
) -> None:
    _write(tmp_path, {"mcpServers": {"web": {key: address, **more}}})

    web = read_mcp_json(tmp_path, {})["web"]

    assert (web.problem, web.url, web.transport) == ("", address, transport)


def test_of_two_entries_of_one_name_neither_is_used(tmp_path: Path) -> None:
    assert _problems(tmp_path, {"a.b": {"command": "x"}, "a/b": {"command": "y"}}) == {
        "a-b": "two servers of .mcp.json are called 'a-b'; rename one"
    }


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpServers": {"x": {"command": "x", "args": ["a",],},}}',
        '{\n// a comment, with "quotes"\n"mcpServers": {"x": {"command": "x", "args": ["a"]}}}',
        '{"mcpServers": /* a\ncomment */ {"x": {"command": "x", "args": ["a"]}}} // the end',
        '\ufeff{"mcpServers": {"x": {"command": "x", "args": ["a"]}}}',
    ],
)
def test_comments_and_trailing_commas_are_read_as_the_clients_do_whose_file_it_is(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / ".mcp.json").write_text(text, encoding="utf-8")

    assert read_mcp_json(tmp_path, {})["x"].args == ("a",)


def test_what_looks_like_a_comment_in_a_text_is_none(tmp_path: Path) -> None:
    args: list[JsonValue] = ["http://localhost", "/* x */", 'a "quoted" // word', ",]", "\\"]
    _write(tmp_path, {"mcpServers": {"x": {"command": "x", "args": args}}})

    assert read_mcp_json(tmp_path, {})["x"].args == tuple(args)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no valid JSON at line 1, column 2: expecting property name enclosed in double quotes"),
        ('{\n  "mcpServers": {"x" "hush"}}', "no valid JSON at line 2, column 22: expecting ':' delimiter"),
        ("[]", "it must be an object with 'mcpServers'"),
        ('{"mcpServers": ["hush"]}', "'mcpServers' must be an object of servers by their names"),
        ("[" * 100_000, "about line 1: nested more than 64 deep; make it flatter"),
        ('{"a": ' + "1" * 5_000 + "}", "it holds a number or a nesting that is too large to be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place_and_nothing_of_it(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / ".mcp.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ProjectError) as refusal:
        read_mcp_json(tmp_path, {})

    assert str(refusal.value) == f"{path}: {said}"


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpservers": {"web": {"command": "python"}}}',
        '{"mcp_servers": {}}',
        '{"MCP-Servers": {"web": {"url": "http://h/"}}}',
        '{"web": {"command": "python"}}',
        '{"web": {"serverUrl": "http://h/"}}',
    ],
)
def test_servers_under_a_key_that_is_not_read_are_told_of(tmp_path: Path, text: str) -> None:
    (tmp_path / ".mcp.json").write_text(text, encoding="utf-8")

    with pytest.raises(ProjectError, match=r"is not read; put servers by their names into 'mcpServers'"):
        read_mcp_json(tmp_path, {})


@pytest.mark.parametrize("text", ["{}", '{"inputs": []}', '{"$schema": "x", "mcpServers": {}}'])
def test_a_file_without_servers_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ".mcp.json").write_text(text, encoding="utf-8")

    assert read_mcp_json(tmp_path, {}) == {}
