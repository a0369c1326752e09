"""Keys of a configuration that is wrong: no command, reason, event or log shows one.

In each case a secret stands in a variable, a header, an ``env`` entry or an address, and something is
wrong with the entry, its server, or the file. All that a person or a model could read is looked through.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import logging
import re
import sqlite3
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

import pytest
from pydantic import JsonValue

from benchmarks.runs import NO_SERVERS
from swarm.cli.app import main
from swarm.errors import SwarmError
from swarm.hub.hub import Hub
from swarm.models.choose import wish_of
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.tool import CallContext, ToolCall
from swarm.project.project import open_project
from swarm.project.secrecy import hidden_in
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.file.inspection import reading
from swarm.store.rows.blobs import inflate
from swarm.store.rows.bodies import text_of
from swarm.store.shelf.reader import read_events, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import write_cards
from tests.hub.conftest import Told

pytestmark = pytest.mark.anyio

Json: TypeAlias = "dict[str, object]"
SECRET = "pl4nted/S3cret+value=x"
BAD = Path(__file__).parent / "servers" / "telltale.py"

PLACES: dict[str, Json] = {
    "an env entry": {"env": {"API_KEY": SECRET}},
    "a variable in env": {"env": {"AUTH": "Basic ${PLANTED}"}},
    "a variable in args": {"args": ["--login", "${PLANTED}"]},
    "a variable within an argument": {"args": ["--login=me:${env:PLANTED}@there"]},
    "an option that is a key": {"args": ["--api-key", SECRET]},
    "an address in args": {
        "args": [f"postgres://me:{quote(SECRET, safe='')}@there/db?sslkey={quote(SECRET)}"]
    },
}
ILLS = ("exits", "silent", "refuses", "fails", "shouts", "dies")
URLS: dict[str, Json] = {
    "a query": {"url": "{base}/mcp?key=" + quote(SECRET)},
    "a variable in a query": {"url": "{base}/mcp?key=${PLANTED}"},
    "a variable in a path": {"url": "{base}/${PLANTED}/mcp"},
    "a header": {"url": "{base}/mcp", "headers": {"X-Key": SECRET}},
    "a variable in a header": {"url": "{base}/mcp", "headers": {"Authorization": "Bearer ${PLANTED}"}},
    "a password": {"url": "{base}/mcp", "type": "http", "headers": {"Cookie": f"id={SECRET}; a=b"}},
}
NO_MODEL = '\n[model]\nurl = "http://127.0.0.1:9"\nname = "m"\n'
"""A server of models that is not there: none is looked for."""
STATUSES = ("401", "404", "500", "200", "gone")
TEXTS: dict[str, str] = {
    "a missing comma": '{"mcpServers": {"x": {"command": "a" "env": {"K": "%s"}}}}',
    "a missing brace": '{"mcpServers": {"x": {"command": "a", "env": {"K": "%s"}}}',
    "a missing quote": '{"mcpServers": {"x": {"command": "a", "env": {"K": "%s}}}}',
    "a word": '{"mcpServers": {"x": {"env": {"K": %s}}}}',
    "a list of servers": '{"mcpServers": [{"env": {"K": "%s"}}]}',
    "a text": '"%s"',
    "a list of env": '{"mcpServers": {"x": {"command": "a", "env": ["K=%s"]}}}',
    "nested env": '{"mcpServers": {"x": {"command": "a", "env": {"K": {"v": "%s"}}}}}',
    "a text of args": '{"mcpServers": {"x": {"command": "a", "args": "--key %s"}}}',
    "nested args": '{"mcpServers": {"x": {"command": "a", "args": [["%s"]]}}}',
    "a list of headers": '{"mcpServers": {"x": {"url": "http://h/", "headers": ["%s"]}}}',
    "nested headers": '{"mcpServers": {"x": {"url": "http://h/", "headers": {"A": ["%s"]}}}}',
    "a type": '{"mcpServers": {"x": {"command": "a", "type": "%s"}}}',
    "a list for an address": '{"mcpServers": {"x": {"url": ["http://h/?k=%s"]}}}',
    "no address": '{"mcpServers": {"x": {"url": "h/mcp?k=%s"}}}',
    "another scheme": '{"mcpServers": {"x": {"url": "ws://h/mcp?k=%s"}}}',
    "an address and a command": '{"mcpServers": {"x": {"url": "http://h/?k=%s", "command": "a"}}}',
    "a variable that is not set": '{"mcpServers": {"x": {"command": "a", "args": ["${U}"], "env": {"K": "%s"}}}}',
    "an unknown key": '{"mcpServers": {"x": {"comand": "%s"}}}',
    "a NUL": '{"mcpServers": {"x": {"command": "a", "env": {"K": "%s\\u0000"}}}}',
    "a text for an entry": '{"mcpServers": {"x": "%s"}}',
}
SETTINGS: dict[str, str] = {
    "a number in env": '[servers.x]\nenv = {{ A = 5, K = "{s}" }}\n',
    "a list in env": '[servers.x.env]\nK = ["{s}"]\n',
    "env that is a text": '[servers.x]\nenv = "{s}"\n',
    "args that are a text": '[servers.x]\nargs = "{s}"\n',
    "a key itself": '[model]\nurl = "http://127.0.0.1:9"\napi_key = "{s}"\n',
    "a key that is a list": '[model]\napi_key = ["{s}"]\n',
    "a key of another table": '[models.big]\nname = "b"\nurl = "http://127.0.0.1:9"\napi_key = "{s}"\n',
    "a password in an address": '[model]\nurl = "http://me:{q}@127.0.0.1:9"\n',
    "a query in an address": '[model]\nurl = "http://127.0.0.1:9/?key={q}"\n',
}


class _Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the status that stands in its server's ``status``, and with all that it was sent."""

    status = 200

    def do_POST(self) -> None:
        """Echoes the address and the headers."""
        said = f"no such key: {self.path} {dict(self.headers)}"
        body = json.dumps({"error": {"message": said}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def _echoing(status: str) -> Generator[str]:
    """The address of a server that answers so; of none that answers, for ``gone``."""
    if status == "gone":
        yield "http://127.0.0.1:9"
        return
    handler = type("_Handler", (_Echo,), {"status": int(status)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Ears:
    """Everything that a project lets be read of itself."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], log: pytest.LogCaptureFixture
    ) -> None:
        self._folder, self._capsys, self._log = folder, capsys, log
        self._told: CallContext = Told(folder, "key", 5.0, {})

    async def hear(self) -> str:
        """What the list, the hub, its events and every log say of the server ``x`` when it is used."""
        with self._log.at_level(logging.DEBUG):
            said = [self._listing(), await self._use()]
        return "\n".join([*said, self._log.text])

    def _listing(self) -> str:
        return self._command("list")

    def doctor(self) -> str:
        """What ``swarm doctor`` and every log say."""
        with self._log.at_level(logging.DEBUG):
            return f"{self._command('doctor')}\n{self._log.text}"

    def _command(self, name: str) -> str:
        with contextlib.chdir(self._folder), contextlib.suppress(SystemExit):
            main([name])
        said = self._capsys.readouterr()
        return said.out + said.err

    async def _use(self) -> str:
        heard: list[str] = []
        try:
            project = open_project(self._folder)
            heard += [repr(project.servers.get("x")), project.cards["generalist"].description]
            for table in [project.settings.model, *project.settings.models.values()]:
                heard.append(repr(table))
                heard.append(repr(wish_of(None, table, {})))
            async with Hub.open(project) as hub:
                with hub.heard_by(lambda change: heard.append(repr(change))):
                    heard.append(repr(await hub.tools(("x",))))
                    heard.append(repr(await hub.call(ToolCall(tool="x.find"), self._told)))
        except SwarmError as error:
            heard += [str(error), repr(error), repr(error.__context__ and str(error))]
        return "\n".join(heard)


@pytest.fixture
def ears(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Ears:
    monkeypatch.setenv("PLANTED", SECRET)
    return Ears(tmp_path, capsys, caplog)


def _check(said: str) -> None:
    for spelling in (SECRET, quote(SECRET), quote(SECRET, safe=""), SECRET[:14], SECRET[4:]):
        assert spelling not in said


def _write(folder: Path, entry: Json) -> None:
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"x": entry}}), encoding="utf-8")
    (folder / "swarm.toml").write_text("[servers.x]\nstart_seconds = 4\n", encoding="utf-8")


def _write_all(folder: Path, entries: Mapping[str, Json]) -> None:
    """Writes several servers, ``x0``, ``x1``, …, and no built-in ones."""
    servers = {f"x{number}": entry for number, entry in enumerate(entries.values())}
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    (folder / "swarm.toml").write_text(NO_SERVERS + NO_MODEL, encoding="utf-8")


def _write_settings(folder: Path, wrong: str) -> None:
    text = SETTINGS[wrong].format(s=SECRET, q=quote(SECRET, safe=""))
    (folder / "swarm.toml").write_text(text, encoding="utf-8")


def _program(place: str, ill: str) -> Json:
    """The entry of a server that has a secret there, and does so."""
    entry = dict(PLACES[place])
    args = entry.pop("args", [])
    assert isinstance(args, list)
    return {"command": sys.executable, "args": ["-P", str(BAD), ill, *args], **entry}


def _address(place: str, base: str) -> Json:
    """The entry of a server at an address."""
    return URLS[place] | {"url": str(URLS[place]["url"]).replace("{base}", base)}


@pytest.mark.parametrize("ill", ILLS)
@pytest.mark.parametrize("place", PLACES)
async def test_a_secret_of_a_program_is_not_shown_when_it(
    ears: Ears, tmp_path: Path, place: str, ill: str
) -> None:
    _write(tmp_path, _program(place, ill))

    said = await ears.hear()

    assert "x" in said
    _check(said)


@pytest.mark.parametrize("key", ["command", "cwd"])
async def test_a_program_or_folder_of_a_variable_that_is_not_there_is_not_shown(
    ears: Ears, tmp_path: Path, key: str
) -> None:
    _write(tmp_path, {"command": sys.executable, key: "/none/${PLANTED}"})

    said = await ears.hear()

    assert "***" in said
    _check(said)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("place", URLS)
async def test_a_secret_of_an_address_is_not_shown_when_its_server_answers(
    ears: Ears, tmp_path: Path, place: str, status: str
) -> None:
    with _echoing(status) as base:
        _write(tmp_path, _address(place, base))

        said = await ears.hear()

    assert "did not start" in said
    _check(said)


@pytest.mark.parametrize("wrong", TEXTS)
async def test_a_secret_of_a_file_is_not_shown_where_it_has(ears: Ears, tmp_path: Path, wrong: str) -> None:
    (tmp_path / ".mcp.json").write_text(TEXTS[wrong] % SECRET, encoding="utf-8")

    said = await ears.hear()

    assert ".mcp.json" in said
    _check(said)


@pytest.mark.parametrize("wrong", SETTINGS)
async def test_a_secret_of_the_settings_is_not_shown_where_they_have(
    ears: Ears, tmp_path: Path, wrong: str
) -> None:
    _write(tmp_path, {"command": "x"})
    _write_settings(tmp_path, wrong)

    _check(await ears.hear())


@pytest.mark.parametrize("ill", ["exits", "refuses", "shouts"])
def test_the_doctor_shows_no_secret_of_programs_that(ears: Ears, tmp_path: Path, ill: str) -> None:
    _write_all(tmp_path, {place: _program(place, ill) for place in PLACES})

    said = ears.doctor()

    assert all(f"x{number}" in said for number in range(len(PLACES)))
    _check(said)


@pytest.mark.parametrize("status", ["401", "500"])
def test_the_doctor_shows_no_secret_of_addresses_that_answer(ears: Ears, tmp_path: Path, status: str) -> None:
    with _echoing(status) as base:
        _write_all(tmp_path, {place: _address(place, base) for place in URLS})

        said = ears.doctor()

    assert all(f"x{number}" in said for number in range(len(URLS)))
    _check(said)


async def _run_with(folder: Path, count: int) -> str:
    """All that is kept of a run whose agents call the tool of each server."""
    write_cards(folder, **{f"agent{n}": f"x{n}.find" for n in range(count)})

    def script(request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        tool = re.search(r"\bx\d+\.find\b", prompt)
        if tool is None or f"{tool[0]} failed" in prompt or f"{tool[0]} gave" in prompt:
            return json.dumps({"result": "It is done."})
        return json.dumps({"tool": tool[0], "args": {}})

    steps = tuple(Step(id=f"s{n}", agent=f"agent{n}", brief="Find it.") for n in range(count))
    limits = Limits(replans=0, attempts=1)
    async with asyncio.timeout(90), Swarm.open(folder, model=ScriptedModel(script), limits=limits) as swarm:
        run: Run[str] = await swarm.start("Find all.", plan=Plan(steps=steps))
        answer = await run.answer()
    path = run_path(folder, answer.run)
    return "\n".join([*_kept_in(path), *map(repr, (*read_events(path), *read_threads(path)))])


def _kept_in(path: Path) -> Iterator[str]:
    """Each value of each table of a run's file, decompressed, and the bytes of all files of the run."""
    with reading(path) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield from (_text_of(connection, value) for value in row if isinstance(value, str | bytes))
    for file in path.parent.rglob("*"):
        if file.is_file():
            yield file.read_bytes().decode("latin-1")


def _text_of(connection: sqlite3.Connection, value: str | bytes) -> str:
    if isinstance(value, bytes) and value[:1] in (b"\x01", b"\x78"):
        return inflate(value)
    if isinstance(value, str) and value.startswith("sha256:"):
        return text_of(connection, value)
    return value if isinstance(value, str) else value.decode("latin-1")


@pytest.mark.parametrize("ill", ["exits", "refuses", "fails", "shouts", "dies"])
async def test_a_run_keeps_no_secret_of_programs_that(ears: Ears, tmp_path: Path, ill: str) -> None:
    _write_all(tmp_path, {place: _program(place, ill) for place in PLACES})

    kept = await _run_with(tmp_path, len(PLACES))

    assert "Your step: Find it." in kept or "did not start" in kept
    _check(kept)


@pytest.mark.parametrize("status", ["401", "500", "gone"])
async def test_a_run_keeps_no_secret_of_addresses_that_answer(
    ears: Ears, tmp_path: Path, status: str
) -> None:
    with _echoing(status) as base:
        _write_all(tmp_path, {place: _address(place, base) for place in URLS})

        kept = await _run_with(tmp_path, len(URLS))

    assert "did not start" in kept
    _check(kept)


@pytest.mark.parametrize(
    "wrong", ["a missing comma", "a word", "nested env", "a type", "no address", "an unknown key"]
)
def test_the_doctor_shows_no_secret_of_a_file_that_has(ears: Ears, tmp_path: Path, wrong: str) -> None:
    (tmp_path / ".mcp.json").write_text(TEXTS[wrong] % SECRET, encoding="utf-8")
    (tmp_path / "swarm.toml").write_text(NO_MODEL, encoding="utf-8")

    said = ears.doctor()

    assert ".mcp.json" in said
    _check(said)


@pytest.mark.parametrize("wrong", ["a list in env", "a key that is a list", "a query in an address"])
def test_the_doctor_shows_no_secret_of_settings_that_have(ears: Ears, tmp_path: Path, wrong: str) -> None:
    _write(tmp_path, {"command": "x"})
    _write_settings(tmp_path, wrong)

    _check(ears.doctor())


def test_a_secret_is_hidden_in_data_as_in_text() -> None:
    data: JsonValue = {"key": [f"VAL {SECRET}", 5, None, {SECRET: True}], "plain": "text"}

    assert hidden_in(data, (SECRET,)) == {"key": ["VAL ***", 5, None, {"***": True}], "plain": "text"}
