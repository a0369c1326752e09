"""Puts servers that others wrote into ``.mcp.json`` and nothing else, and lets a run use each.

    python -m benchmarks.foreign_servers [--folder FOLDER] [--only NAME,NAME]

It installs them, of pinned versions, with pip and npm into the folder (a temporary one where none is
named; what lies there is used again), so it needs the network and Node once. For each server a project
with that entry alone runs a task of two steps on a scripted model: a plain call and one that the server
answers with an ordinary error. A plain call counts where its answer holds what only the server can know,
and where the file that it was to make holds the word that it was given.
"""

from __future__ import annotations

import argparse
import http.server
import io
import json
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.foreign_list import SERVERS, Foreign
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import clean_environment, run_files, swarm
from swarm.nouns.events import QuestionAsked, RunEnded
from swarm.store.shelf.reader import read_events

FEWEST = 20
PROOF = Proof(
    name="foreign_servers",
    claim="A server that others wrote, put into .mcp.json and nothing else, is used by a run, and its errors reach the model.",
    bar=f"{FEWEST} servers: a plain task done by each, and an ordinary error of each told as text, with no question asked",
)
INSTALL_SECONDS, RUN_SECONDS = 600.0, 240.0
RULES = 'export default [{ files: ["**/*.js"], rules: { "no-unused-vars": "error" } }];\n'
WORKBOOK = ROOT / "tests" / "tools" / "corpus" / "sheet.xlsx"

SCRIPT = """
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
CALLS = json.loads((HERE / "calls.json").read_text(encoding="utf-8"))


def reply(request):
    # The mark of the run, which stands before the framework's words, is left out.
    said = [re.sub(r"(?m)^\\[\\w{4}\\] ", "", message.content) for message in request.messages]
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
        commands = [[sys.executable, "-m", "venv", str(place)], [*pip, *server.older]]
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


def library(server: Foreign, programs: Path) -> str:
    """The library that a server is written with, as far as what was installed tells."""
    if programs.name == "bin":
        found = sorted(programs.parent.glob("lib/python*/site-packages/*mcp-*.dist-info"))
        named = [path.name.removesuffix(".dist-info") for path in found]
        return ", ".join(name for name in named if name.startswith(("mcp-", "fastmcp-"))) or "none"
    about = programs.parent / "@modelcontextprotocol" / "sdk" / "package.json"
    if not about.is_file():
        return "none"
    return f"@modelcontextprotocol/sdk-{json.loads(about.read_text(encoding='utf-8'))['version']}"


@dataclass(frozen=True)
class Ground:
    """The folder of one project, the word that is made up for it, and the page that tells it."""

    work: Path
    token: str
    page: str

    def filled(self, value: object) -> object:
        """The value with what stands in braces put in."""
        text = json.dumps(value).replace("{work}", str(self.work)).replace("{page}", self.page)
        return json.loads(text.replace("{token}", self.token))


@contextmanager
def ground(work: Path) -> Generator[Ground]:
    """A new folder with files that hold a new token, and a page on this machine that does."""
    token = f"kettle{secrets.randbelow(10**8):08}"
    work.mkdir(parents=True)
    (work / "note.txt").write_text(f"{token}\n", encoding="utf-8")
    (work / "rows.csv").write_text(f"pot,word\n1,{token}\n", encoding="utf-8")
    (work / "page.pdf").write_bytes(_pdf(token))
    (work / "pots.js").write_text(f"const {token} = 1;\n", encoding="utf-8")
    (work / "eslint.config.mjs").write_text(RULES, encoding="utf-8")
    shutil.copy(WORKBOOK, work / "book.xlsx")
    with closing(sqlite3.connect(work / "stock.db")) as database:
        database.execute("CREATE TABLE stock (word TEXT)")
        database.execute("INSERT INTO stock VALUES (?)", [token])
        database.commit()
    for command in (["init", "-q"], ["add", "note.txt"], ["commit", "-qm", token]):
        who = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
        subprocess.run(["git", *who, *command], cwd=work, check=True, capture_output=True)
    with _page(token) as page:
        yield Ground(work, token, page)


def _pdf(text: str) -> bytes:
    """A document of one page with one line of text."""
    line = f"BT /F1 12 Tf 20 50 Td ({text}) Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(line), line),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made = b"%PDF-1.4\n"
    places: list[int] = []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    return made + b"xref\n0 6\n0000000000 65535 f \n" + table + end


@contextmanager
def _page(text: str) -> Generator[str]:
    """The address of a page on this machine that holds a text."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_address[1]}/page"
        finally:
            served.shutdown()
            thread.join()


def used(server: Foreign, programs: Path, place: Ground) -> dict[str, Figure]:
    """What became of a server's two calls in a run of its own."""
    work = place.work
    entry = {"command": str(programs / server.program), "args": list(server.args), "env": server.env}
    (work / ".mcp.json").write_text(
        json.dumps({"mcpServers": {server.name: place.filled(entry)}}), encoding="utf-8"
    )
    calls = {
        step: {"tool": f"{server.name}.{tool}", "args": place.filled(args)}
        for step, (tool, args) in {"plain": server.plain, "wrong": server.wrong}.items()
    }
    (work / "calls.json").write_text(json.dumps(calls), encoding="utf-8")
    (work / "script.py").write_text(SCRIPT, encoding="utf-8")
    status, said = _run(work)
    plain, wrong = (_heard(work / f"{step}.txt") for step in calls)
    is_done = has_done(server, place, plain) and status == "done"
    is_told = has_told(server, wrong) and status == "done"
    return {
        "server": server.name,
        "plain": "yes" if is_done else "no",
        "error": "yes" if is_told else "no",
        "status": status,
        # Where a folder of this machine stood, the record says so.
        "said": (wrong or said if is_done else plain or said)
        .replace(str(work), "WORK")[-200:]
        .replace("\n", " "),
    }


def has_done(server: Foreign, place: Ground, heard: str) -> bool:
    """Whether the plain call was done, after what was heard of it and the file that it was to make."""
    is_given = f"{server.name}.{server.plain[0]} gave:" in heard.partition("\n")[0]
    is_known = str(place.filled(server.told)) in heard
    return is_given and is_known and (not server.made or _holds(place.work / server.made, place.token))


def has_told(server: Foreign, heard: str) -> bool:
    """Whether the error of the server itself was heard: a call that was never sent has none."""
    is_named = f"{server.name}.{server.wrong[0]} " in heard.partition("\n")[0]
    return is_named and server.refused in heard.casefold() and " was not called: " not in heard


def _run(work: Path) -> tuple[str, str]:
    """How the run of the task ended, ``asked`` where a person was, and the end of what it said."""
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
        return "too late", f"it took more than {RUN_SECONDS:g} s"
    events = [event for path in run_files(work) for event in read_events(path)]
    if any(isinstance(event, QuestionAsked) for event in events):
        return "asked", done.stderr
    return next((event.status for event in events if isinstance(event, RunEnded)), "crashed"), done.stderr


def _holds(path: Path, token: str) -> bool:
    """Whether a word stands in a file, or in a part of it where the file is an archive."""
    if not path.is_file():
        return False
    data = path.read_bytes()
    parts = [data]
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts += [archive.read(name) for name in archive.namelist()]
    return any(token.encode() in part for part in parts)


def _heard(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def tried(server: Foreign, folder: Path, work: Path) -> dict[str, Figure]:
    """What became of a server: had, and used."""
    try:
        programs = installed(server, folder)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        return {"server": server.name, "plain": "no", "error": "no", "said": str(error)}
    with ground(work) as place:
        row = used(server, programs, place)
    return row | {"package": server.package, "written with": library(server, programs)}


def measure(options: argparse.Namespace) -> Findings:
    """Installs each server and lets a run use it."""
    chosen = [one for one in SERVERS if not options.only or one.name in options.only.split(",")]
    rows: list[dict[str, Figure]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary).resolve()
        for server in chosen:
            row = tried(server, folder, Path(temporary).resolve() / "work" / server.name)
            rows.append(row)
            print("  " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    plain, told = (sum(row[key] == "yes" for row in rows) for key in ("plain", "error"))
    figures: dict[str, Figure] = {
        "servers": len(rows),
        "plain tasks done": f"{plain} of {len(rows)}",
        "errors told, no question asked": f"{told} of {len(rows)}",
        "libraries they are written with": len({row.get("written with", "") for row in rows}),
    }
    faults = [f"{row['server']}: {row['said']}" for row in rows if "no" in (row["plain"], row["error"])]
    if len(rows) < FEWEST and not options.only:
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
    if options.only:  # A part is looked at and not recorded.
        raise SystemExit("\n".join(measure(options).faults) or 0)
    prove(PROOF, lambda: measure(options))


if __name__ == "__main__":
    main()
