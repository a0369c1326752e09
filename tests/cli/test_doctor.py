"""What `swarm doctor` says of a machine: each gap with its remedy, and whether anything could run."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path

import pytest

from benchmarks.runs import NO_SERVERS
from swarm.models.servers.profile import Profile
from tests.cli.conftest import Command
from tests.conftest import NO_DATABASE

SERVER = """
raise SystemExit("the clock is broken")
"""


def test_without_any_model_it_names_the_remedy_and_exits_with_1(
    swarm: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_API_BASE", "http://127.0.0.1:9")

    done = swarm("doctor")

    lines = done.out.splitlines()
    gap = lines.index("GAP  model     no model server answers at http://127.0.0.1:9")
    assert "start it, or correct the address" in lines[gap + 1]
    assert any(line.startswith("ok   server    files: ") for line in lines)
    assert (done.code, done.err) == (1, "")


def test_a_server_that_does_not_start_is_a_gap_and_the_others_are_not(
    swarm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_MODEL", "scripted")
    (tmp_path / "swarm.toml").write_text(NO_DATABASE, encoding="utf-8")
    (tmp_path / "mcp_servers").mkdir()
    (tmp_path / "mcp_servers" / "clock.py").write_text(SERVER, encoding="utf-8")

    done = swarm("doctor")

    lines = done.out.splitlines()
    assert any(line.startswith("GAP  server    clock: ") for line in lines)
    assert any(line.startswith("ok   server    files: ") for line in lines)
    assert "ok   model     scripted: answers come from a script" in lines
    assert (done.code, done.err) == (1, "")


def test_each_named_model_is_looked_for_and_a_missing_one_is_a_gap(swarm: Command, tmp_path: Path) -> None:
    tables = (
        NO_SERVERS
        + '[models.quick]\nname = "scripted"\n\n[models.wise]\nname = "big"\nurl = "http://127.0.0.1:9"\n'
    )
    (tmp_path / "swarm.toml").write_text(tables, encoding="utf-8")

    done = swarm("doctor")

    lines = done.out.splitlines()
    assert "ok   model     [models.quick] scripted" in lines
    gap = next(n for n, line in enumerate(lines) if line.startswith("GAP  model     [models.wise] "))
    assert "correct [models.wise] in swarm.toml" in lines[gap + 1]
    assert done.code == 1


def test_a_project_that_cannot_be_read_is_a_gap_with_its_place(swarm: Command, tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text("model = 1\n", encoding="utf-8")

    done = swarm("doctor")

    assert "swarm.toml" in done.out
    assert done.code == 1


def test_a_gap_of_a_server_at_a_url_names_status_address_and_remedy(
    swarm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_MODEL", "scripted")
    (tmp_path / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
    servers = {"web": {"url": "http://127.0.0.1:9/mcp?key=hush-hush"}, "off": {"command": "${UNSET_HERE}"}}
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    (tmp_path / "mcp_servers").mkdir()
    (tmp_path / "mcp_servers" / "broken.py").write_text("def\n", encoding="utf-8")

    done = swarm("doctor")

    gaps = [line for line in done.out.splitlines() if line.startswith("GAP  server")]
    assert any("nothing answers at http://127.0.0.1:9/mcp (" in line for line in gaps)
    assert any("off: ${UNSET_HERE} is not set" in line for line in gaps)
    assert any("broken: " in line and "line 1: no valid Python" in line for line in gaps)
    assert "ok   model     scripted: answers come from a script" in done.out
    assert "hush-hush" not in done.out
    assert done.code == 1


class _Keyed(http.server.BaseHTTPRequestHandler):
    """Shows one model to whoever has the key."""

    def do_GET(self) -> None:
        """Answers 401, or the list."""
        has_key = self.headers.get("Authorization") == "Bearer sk-local"
        shown = {"data": [{"id": "m", "max_model_len": 16_384}]} if has_key else {"error": "Invalid API Key"}
        body = json.dumps(shown).encode()
        self.send_response(401 if not has_key else 200 if self.path == "/v1/models" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def test_a_model_server_that_wants_a_key_is_a_gap_that_says_so(
    swarm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Keyed) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("SWARM_API_BASE", url)
        refused = swarm("doctor")
        monkeypatch.setenv("SWARM_API_KEY", "sk-local")
        found = swarm("doctor")
        server.shutdown()
        thread.join()

    assert (
        f"GAP  model     the model server at {url} wants a key (HTTP 401); set SWARM_API_KEY" in refused.out
    )
    assert f"ok   model     m on vllm at {url}" in found.out
    assert (refused.code, "sk-local" in found.out) == (1, False)


SCRIPT = """
import json

def reply(request):
    if request.output_schema is None:
        return "Mango, and 1, 2, 3, 4, 5, 6, 7, 8, 9"
    if "anyOf" in request.output_schema:
        return json.dumps({"tool": "weather.today", "args": {"city": "Bergen"}})
    return json.dumps({"colour": "green", "balls": 7})
"""


def test_trying_a_model_says_what_it_does_and_keeps_it(
    swarm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "model.py").write_text(SCRIPT, encoding="utf-8")

    done = swarm("doctor", "--probe", "scripted:model.py")

    said = {line[5:15].strip(): line for line in done.out.splitlines()}
    assert said["schema"] == "ok   schema    followed"
    assert said["tool"].startswith('GAP  tool      not called right: \'{"tool": "weather.today"')
    assert said["1 at once"].endswith(" tokens/s written")
    assert said["window"].endswith("and their beginning was known")
    (kept,) = (tmp_path / "state" / "swarm" / "profiles").iterdir()
    assert f"kept in {kept}" in done.err
    assert Profile.model_validate_json(kept.read_bytes()).calls_tools is False
    assert done.code == 0


def test_trying_a_model_that_is_not_there_names_the_remedy(swarm: Command) -> None:
    done = swarm("doctor", "--probe", "x@127.0.0.1:9")

    assert "no model server answers at http://127.0.0.1:9; start it" in done.err
    assert done.code == 2


def test_a_server_in_the_place_of_a_built_in_one_is_a_gap_where_it_lacks_what_cards_ask_for(
    swarm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_MODEL", "scripted")
    (tmp_path / "swarm.toml").write_text(NO_DATABASE, encoding="utf-8")
    (tmp_path / "mcp_servers").mkdir()
    (tmp_path / "mcp_servers" / "files.py").write_text(
        "from mcp.server.mcpserver import MCPServer\n\nserver = MCPServer('files')\n\n\n@server.tool()\ndef boom() -> str:\n"
        "    return 'x'\n\n\nif __name__ == '__main__':\n    server.run()\n",
        encoding="utf-8",
    )

    done = swarm("doctor")

    lines = done.out.splitlines()
    gap = next(n for n, line in enumerate(lines) if line.startswith("GAP  server    files: boom"))
    assert "it has not what cards ask for: files.list (agent " in lines[gap + 1]
    assert "give the server another name in " in lines[gap + 1]
    assert done.code == 1
