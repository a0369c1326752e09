"""Servers of a process that was killed: they are found and ended, and nobody else's are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swarm.hub.hub import Hub
from swarm.hub.servers.leftovers import FOLDER, end_leftovers
from tests.hub.conftest import MakeProject, StartServer

pytestmark = pytest.mark.anyio

OWNER = """
import sys, time
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from swarm.hub.servers.leftovers import Register

server = Popen(["sleep", "600"], start_new_session=True, stdin=PIPE, stdout=DEVNULL)
Register(Path(sys.argv[1])).note(server.pid)
print(server.pid, flush=True)
time.sleep(600)
"""


def owner(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that has a server which does not mind its end, and the server's process id."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, int(process.stdout.readline())


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_a_server_of_a_killed_process_is_ended_and_one_of_a_live_process_is_not(tmp_path: Path) -> None:
    killed, orphan = owner(tmp_path)
    alive, kept = owner(tmp_path)
    try:
        killed.kill()
        killed.communicate()

        assert end_leftovers(tmp_path) == 1

        assert (is_alive(orphan), is_alive(kept)) == (False, True)
        assert end_leftovers(tmp_path) == 0
    finally:
        os.killpg(kept, signal.SIGKILL)
        alive.kill()
        alive.communicate()


def test_another_process_that_has_the_id_of_a_server_is_let_be(tmp_path: Path) -> None:
    killed, orphan = owner(tmp_path)
    killed.kill()
    killed.communicate()
    (register,) = tmp_path.glob("*.jsonl")
    text = register.read_text(encoding="utf-8").splitlines()
    earlier = text[1].replace('"started": ', '"started": 1')
    register.write_text(f"{text[0]}\n{earlier}\n", encoding="utf-8")
    try:
        assert end_leftovers(tmp_path) == 0
        assert is_alive(orphan)
    finally:
        os.killpg(orphan, signal.SIGKILL)


async def test_a_hub_that_is_closed_leaves_nothing_written_down(
    make_project: MakeProject, start_server: StartServer
) -> None:
    project = make_project(start_server("bare"))
    folder = project.root / ".swarm" / FOLDER
    async with Hub.open(project) as hub:
        await hub.tools(("bare.pid",))
        assert len(list(folder.iterdir())) == 1
    assert list(folder.iterdir()) == []
