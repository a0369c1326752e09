"""What a task runs on: a project with one MCP server for each domain of the set, and the packages it needs."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.proof import ROOT, python
from benchmarks.runs import NO_SERVERS
from benchmarks.workbench.judge import Judgement
from benchmarks.workbench.office import needs_pandas
from benchmarks.workbench.serve import recorded
from benchmarks.workbench.tasks import Call

PACKAGES = ("pandas==2.1.4", "numpy<2", "python-dateutil<3")
"""As the set pins them; none is a dependency of ours."""
ABOUT = {
    "analytics": "Visits to the website: counts, sessions, plots.",
    "calendar": "The calendar: finds, makes, changes and deletes events.",
    "company_directory": "The e-mail addresses of the staff, by name.",
    "customer_relationship_manager": "Customers (CRM): finds, adds, changes and deletes them.",
    "email": "The mailbox: finds, sends, forwards and deletes e-mails.",
    "project_management": "Tasks on boards: finds, makes, changes and deletes them.",
}
"""What a server says of itself to who plans; the set says nothing of its domains."""
_SERVER = '''"""{about}"""

import sys

sys.path[:0] = {paths!r}

from benchmarks.workbench.serve import serve

serve({domain!r}, {data!r}, {made!r})
'''


def packages(data: Path) -> Path | None:
    """The folder of the packages that the tools of the set need, filled at the first time; None where they need none."""
    if not needs_pandas(data):
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sovereign-swarm"
    folder = cache / f"workbench-{PACKAGES[0].replace('==', '-')}-{sys.version_info[0]}.{sys.version_info[1]}"
    if not folder.exists():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        command = python("-m", "pip", "install", "--quiet", "--target", str(making), *PACKAGES)
        subprocess.run(command, check=True)
        making.rename(folder)
    return folder


def make_project(folder: Path, data: Path, needed: Path | None) -> Path:
    """A new project in the folder: the servers, and an empty workspace."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("mcp_servers", "work", "made"):
        (folder / name).mkdir(parents=True)
    (folder / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
    for domain in domains(data):
        text = _SERVER.format(
            about=ABOUT.get(domain, f"Tools of {domain}."),
            paths=_paths(needed),
            domain=domain,
            data=str(data.resolve()),
            made=str((folder / "made" / f"{domain}.jsonl").resolve()),
        )
        (folder / "mcp_servers" / f"{domain}.py").write_text(text, encoding="utf-8")
    return folder


def domains(data: Path) -> list[str]:
    """The modules of tools that the set's list of toolkits imports."""
    parsed = ast.parse((data / "src" / "tools" / "toolkits.py").read_text(encoding="utf-8"))
    imported = [
        node for node in parsed.body if isinstance(node, ast.ImportFrom) and node.module == "src.tools"
    ]
    return sorted(alias.name for node in imported for alias in node.names)


def calls_made(project: Path) -> list[Call]:
    """The calls that may have changed something, domain by domain: tables of two domains share nothing."""
    return [call for file in sorted((project / "made").glob("*.jsonl")) for call in recorded(file)]


def judged(data: Path, needed: Path | None, made: Sequence[Call], due: Sequence[Call]) -> Judgement:
    """The judgement of a process of its own: tools of the set keep their tables in globals."""
    asked = {"made": [asdict(call) for call in made], "due": [asdict(call) for call in due]}
    done = subprocess.run(
        python("-m", "benchmarks.workbench.judge", str(data.resolve())),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(_paths(needed))},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{data}: the tables could not be compared: {done.stderr[-800:]}")
    return Judgement(**json.loads(done.stdout))


def _paths(needed: Path | None) -> list[str]:
    return [str(ROOT), *([str(needed)] if needed else [])]
