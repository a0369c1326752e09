"""Puts servers that others wrote into ``.mcp.json`` and nothing else, and lets a run use each.

    python -m benchmarks.foreign_servers [--folder FOLDER] [--only NAME,NAME]

It installs them, of pinned versions, with pip and npm into the folder (a temporary one where none is
named; what lies there is used again), so it needs the network and Node once. For each server a project
with that entry alone runs a task of two steps on a scripted model: a plain call and one that the server
answers with an ordinary error.
"""

from __future__ import annotations

import argparse
import http.server
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import clean_environment, swarm

PROOF = Proof(
    name="foreign_servers",
    claim="A server that others wrote, put into .mcp.json and nothing else, is used by a run, and its errors reach the model.",
    bar="20 servers: a plain task done by each, and an ordinary error of each told as text, with no question asked",
)
FEWEST = 20
INSTALL_SECONDS, RUN_SECONDS = 600.0, 240.0
OLD = ("mcp==1.20.0", "pydantic==2.11.10")
"""What servers need that were written before the second version of the SDK."""

SCRIPT = """
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
CALLS = json.loads((HERE / "calls.json").read_text(encoding="utf-8"))


def reply(request):
    said = [message.content for message in request.messages]
    step = re.search("Your step: Make the (\\\\w+) call", "\\n".join(said))
    if step is None and '"steps"' in json.dumps(request.output_schema):
        steps = [
            {"id": name, "agent": "generalist", "each": "", "needs": [], "brief": f"Make the {name} call.",
             "columns": [], "writes": ""}
            for name in CALLS
        ]
        return json.dumps({"steps": steps})
    if step is None:
        return json.dumps({"result": "Both calls were made."})
    heard = [text for text in said if text.startswith(CALLS[step[1]]["tool"] + " ")]
    if not heard:
        return json.dumps(CALLS[step[1]])
    (HERE / f"{step[1]}.txt").write_text(heard[-1], encoding="utf-8")
    return json.dumps({"result": "It was made, and this is what came of it."})
"""

Args = dict[str, object]


@dataclass(frozen=True)
class Foreign:
    """A server, how it is started, and a call that it does and one that it does not."""

    name: str
    package: str
    """``pypi:NAME==VERSION`` or ``npm:NAME@VERSION``."""
    program: str
    """What is started of what was installed; ``-m MODULE`` for a module."""
    plain: tuple[str, Args]
    told: str
    """What stands in the answer."""
    wrong: tuple[str, Args]
    refused: str
    """What stands in the error, in any case."""
    args: tuple[str, ...] = ()
    """``{work}`` is the project's folder."""
    env: dict[str, str] = field(default_factory=dict[str, str])
    is_old: bool = False
    """Whether it is written for the SDK's first version."""


SERVERS = (
    Foreign(
        "everything",
        "npm:@modelcontextprotocol/server-everything@2026.8.31",
        "mcp-server-everything",
        ("get-sum", {"a": 2, "b": 3}),
        "5",
        ("get-resource-reference", {"resourceType": "Text", "resourceId": -1}),
        "resourceid",
    ),
    Foreign(
        "filesystem",
        "npm:@modelcontextprotocol/server-filesystem@2026.8.31",
        "mcp-server-filesystem",
        ("read_text_file", {"path": "{work}/note.txt"}),
        "kettle",
        ("read_text_file", {"path": "{work}/gone.txt"}),
        "no such file",
        args=("{work}",),
    ),
    Foreign(
        "memory",
        "npm:@modelcontextprotocol/server-memory@2026.8.31",
        "mcp-server-memory",
        (
            "create_entities",
            {"entities": [{"name": "Ann", "entityType": "person", "observations": ["likes tea"]}]},
        ),
        "Ann",
        ("add_observations", {"observations": [{"entityName": "Nobody", "contents": ["x"]}]}),
        "not found",
        env={"MEMORY_FILE_PATH": "{work}/memory.json"},
    ),
    Foreign(
        "calc",
        "npm:@coo-quack/calc-mcp@2.1.1",
        "calc-mcp",
        ("math", {"expression": "6*7"}),
        "42",
        ("math", {"expression": "6*("}),
        "",
    ),
    Foreign(
        "commands",
        "npm:@agent-infra/mcp-server-commands@1.2.18",
        "mcp-server-commands",
        ("run_command", {"command": "echo kettle"}),
        "kettle",
        ("run_command", {"command": "cat /no/such/file"}),
        "no such file",
    ),
    Foreign(
        "bank",
        "npm:@allpepper/memory-bank-mcp@0.2.2",
        "mcp-server-memory-bank",
        ("list_projects", {}),
        "",
        ("memory_bank_read", {"projectName": "none", "fileName": "none.md"}),
        "",
        env={"MEMORY_BANK_ROOT": "{work}"},
    ),
    Foreign(
        "time",
        "pypi:mcp-server-time==2026.10.19",
        "mcp-server-time",
        (
            "convert_time",
            {"source_timezone": "Europe/Rome", "time": "12:00", "target_timezone": "Asia/Tokyo"},
        ),
        "Tokyo",
        ("get_current_time", {"timezone": "Europe/Nowhere"}),
        "nowhere",
    ),
    Foreign(
        "git",
        "pypi:mcp-server-git==2026.10.19",
        "mcp-server-git",
        ("git_log", {"repo_path": "{work}"}),
        "first",
        ("git_log", {"repo_path": "/no/such/repository"}),
        "no/such/repository",
    ),
    Foreign(
        "fetch",
        "pypi:mcp-server-fetch==2026.10.24",
        "mcp-server-fetch",
        ("fetch", {"url": "{page}"}),
        "kettle",
        ("fetch", {"url": "http://127.0.0.1:9/"}),
        "fail",
        args=("--ignore-robots-txt", "--allow-private-ips"),
    ),
    Foreign(
        "calculator",
        "pypi:mcp-server-calculator==0.2.1",
        "mcp-server-calculator",
        ("calculate", {"expression": "6*7"}),
        "42",
        ("calculate", {"expression": "1/0"}),
        "zero",
    ),
    Foreign(
        "excel",
        "pypi:excel-mcp-server==2.2.2",
        "excel-mcp-server",
        ("create_workbook", {"path": "{work}/a.xlsx"}),
        "",
        ("describe_workbook", {"path": "{work}/gone.xlsx"}),
        "gone.xlsx",
        args=("stdio",),
    ),
    Foreign(
        "sums",
        "pypi:calculator-mcp-server==0.1.1",
        "calculator-mcp-server",
        ("multiply", {"a": 6, "b": 7}),
        "42",
        ("divide", {"a": 1, "b": 0}),
        "zero",
    ),
    Foreign(
        "units",
        "pypi:iflow-mcp-unit-converter-mcp==0.1.2",
        "unit-converter-mcp",
        ("convert_length", {"value": 1, "from_unit": "kilometer", "to_unit": "meter"}),
        "1000",
        ("convert_temperature", {"value": -500, "from_unit": "celsius", "to_unit": "kelvin"}),
        "",
    ),
    Foreign(
        "finance",
        "pypi:axiom-calculator-mcp==1.0.0",
        "axiom-calculator-mcp",
        ("compound_interest", {"principal": 100, "annual_rate_pct": 10, "years": 1}),
        "110",
        ("debt_payoff_plan", {"balance": 1000, "annual_rate_pct": 50, "monthly_payment": 1}),
        "",
    ),
    Foreign(
        "sqlite",
        "pypi:mcp-server-sqlite==2025.4.25",
        "mcp-server-sqlite",
        ("create_table", {"query": "CREATE TABLE t (a INTEGER)"}),
        "success",
        ("read_query", {"query": "SELECT * FROM gone"}),
        "no such table",
        args=("--db-path", "{work}/x.db"),
        is_old=True,
    ),
    Foreign(
        "hash",
        "pypi:hash-utils-ai-mcp==1.0.11",
        "hash_utils_ai_mcp",
        ("hash_text", {"text": "kettle"}),
        "",
        ("hash_text", {"text": "kettle", "algorithm": "none"}),
        "",
        is_old=True,
    ),
    Foreign(
        "json",
        "pypi:json-ai-mcp==1.0.12",
        "json_ai_mcp",
        ("validate_json", {"json_string": "{}"}),
        "",
        ("validate_json", {"json_string": "{"}),
        "",
        is_old=True,
    ),
    Foreign(
        "random",
        "pypi:alevlas-random-mcp==0.1.1",
        "random-mcp",
        ("random_integer", {"min": 7, "max": 7}),
        "7",
        ("random_integer", {"min": 9, "max": 7}),
        "",
        is_old=True,
    ),
    Foreign(
        "calendar",
        "pypi:date-calculator-ai-mcp==1.0.11",
        "date_calculator_ai_mcp",
        ("days_between", {"date1": "2026-01-01", "date2": "2026-01-08"}),
        "7",
        ("days_between", {"date1": "2026-01-01", "date2": "soon"}),
        "",
        is_old=True,
    ),
    Foreign(
        "csv",
        "pypi:csv-tools-ai-mcp==1.0.10",
        "csv_tools_ai_mcp",
        ("detect_delimiter", {"csv_text": "a;b"}),
        ";",
        ("parse_csv", {"csv_text": ""}),
        "",
        is_old=True,
    ),
)


def installed(server: Foreign, folder: Path) -> Path:
    """The folder of a server's programs, installed where it is not.

    Raises:
        RuntimeError: it can't be had.
    """
    kind, _, package = server.package.partition(":")
    place = folder / server.name
    programs = place / ("bin" if kind == "pypi" else "node_modules/.bin")
    if (place / "ok").exists():
        return programs
    if kind == "pypi":
        pip = [str(place / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", package]
        commands = [[sys.executable, "-m", "venv", str(place)], [*pip, *(OLD if server.is_old else ())]]
    else:
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text("{}", encoding="utf-8")
        commands = [
            ["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund", "--silent", package]
        ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"{server.package} can't be installed: {done.stderr.strip()[-300:]}")
    (place / "ok").touch()
    return programs


@contextmanager
def _page() -> Generator[str]:
    """The address of a page on this machine that tells of a kettle."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"a kettle")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_address[1]}/page"
        served.shutdown()
        thread.join()


def used(server: Foreign, programs: Path, work: Path, page: str) -> dict[str, Figure]:
    """What became of a server's two calls in a run of its own."""

    def filled(value: object) -> object:
        text = json.dumps(value).replace("{work}", str(work)).replace("{page}", page)
        return json.loads(text)

    work.mkdir(parents=True)
    (work / "note.txt").write_text("a kettle\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "note.txt"], ["commit", "-qm", "first"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
        subprocess.run(["git", *who, *command], cwd=work, check=True, capture_output=True)
    entry = {"command": str(programs / server.program), "args": list(server.args), "env": server.env}
    (work / ".mcp.json").write_text(
        json.dumps({"mcpServers": {server.name: filled(entry)}}), encoding="utf-8"
    )
    calls = {
        step: {"tool": f"{server.name}.{tool}", "args": filled(args)}
        for step, (tool, args) in {"plain": server.plain, "wrong": server.wrong}.items()
    }
    (work / "calls.json").write_text(json.dumps(calls), encoding="utf-8")
    (work / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = swarm("run", "Make both calls.", "--yes", "--model", "scripted:script.py")
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {
            "server": server.name,
            "plain": "no",
            "error": "no",
            "status": 124,
            "said": "it took too long",
        }
    plain, wrong = (_heard(work / f"{step}.txt") for step in calls)
    is_plain = f"{calls['plain']['tool']} gave:" in plain.partition("\n")[0] and server.told in plain
    is_told = f"{calls['wrong']['tool']} " in wrong.partition("\n")[0] and server.refused in wrong.casefold()
    is_asked = done.returncode == 3 or "question" in done.stderr
    return {
        "server": server.name,
        "plain": "yes" if is_plain else "no",
        "error": "yes" if is_told and not is_asked else "no",
        "status": done.returncode,
        "said": (wrong or done.stderr)[-160:].replace("\n", " ")
        if is_plain
        else (plain or done.stderr)[-300:],
    }


def _heard(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def measure(options: argparse.Namespace) -> Findings:
    """Installs each server and lets a run use it."""
    chosen = [one for one in SERVERS if not options.only or one.name in options.only.split(",")]
    rows: list[dict[str, Figure]] = []
    with tempfile.TemporaryDirectory() as temporary, _page() as page:
        folder = Path(options.folder or temporary).resolve()
        for server in chosen:
            try:
                programs = installed(server, folder)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                row: dict[str, Figure] = {
                    "server": server.name,
                    "plain": "no",
                    "error": "no",
                    "said": str(error),
                }
            else:
                row = used(server, programs, Path(temporary) / "work" / server.name, page)
            rows.append(row)
            print("  " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    plain, told = (sum(row[key] == "yes" for row in rows) for key in ("plain", "error"))
    figures: dict[str, Figure] = {
        "servers": len(rows),
        "plain tasks done": f"{plain} of {len(rows)}",
        "errors told, no question asked": f"{told} of {len(rows)}",
    }
    faults = [f"{row['server']}: {row['said']}" for row in rows if "no" in (row["plain"], row["error"])]
    if not options.only and len(rows) < FEWEST:
        faults.append(f"only {len(rows)} servers")
    return Findings(figures, faults, rows)


def main() -> None:
    """Proves it, or exits with 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="where the servers are installed, and kept")
    parser.add_argument("--only", help="names of servers, with commas")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options))


if __name__ == "__main__":
    main()
