"""Programs that use a run's file in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def program(code: str, path: Path) -> Generator[subprocess.Popen[str]]:
    """A program in a process of its own, which is killed at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
