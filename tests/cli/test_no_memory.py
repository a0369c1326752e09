"""A process that may have no more memory ends with a sentence, unless a library of Rust aborts it before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.proof import ROOT, python

SHORT = """
import resource, sys
from pathlib import Path
from swarm.cli.app import main
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + int(sys.argv[1]) * 1_000_000
resource.setrlimit(resource.RLIMIT_AS, (most, most))
main(sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system says otherwise what a process has")
@pytest.mark.parametrize("room", [100, 200])
def test_a_run_that_gets_no_memory_says_so_in_a_line(tmp_path: Path, room: int) -> None:
    command = python("-c", SHORT, str(room), "run", "Do it.", "-m", "scripted", "-p", str(tmp_path))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    last = done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr, done.stderr[-2_000:]
    assert done.returncode == 1
    assert last.startswith("swarm: this process may have no more memory")
    assert "ulimit -v" in last
