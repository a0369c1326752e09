"""Starting light: what `swarm --help` loads, and that nothing reaches for a socket."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "litellm",
    "langgraph",
    "langchain_core",
    "mcp",
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "xllamacpp",
    "rich",
}

HELP = """
import json, sys

def refuse(event, args):
    if event.startswith("socket."):
        raise RuntimeError(f"{event} at start: {args}")

sys.addaudithook(refuse)
import swarm
from swarm.cli.app import main

try:
    main(sys.argv[1:])
finally:
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["run", "--help"], ["models", "--help"]])
def test_help_loads_nothing_heavy_and_opens_no_socket(args: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP, *args],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert HEAVY & set(json.loads(done.stderr.splitlines()[-1])) == set()
