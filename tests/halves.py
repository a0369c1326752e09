"""The whole suite as two processes side by side: many tests wait for a process of their own, and a core is free.

``python -m tests.halves``; with arguments it is pytest with these, in one process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

FIRST = ("agent", "cli", "program", "run")
"""Folders that take half of the time; the other half is all that is not in them."""


def main() -> int:
    """The exit code of pytest; of two that of the first which failed."""
    pytest = [sys.executable, "-m", "pytest"]
    if sys.argv[1:] or (os.cpu_count() or 1) < 2:
        return subprocess.run([*pytest, *sys.argv[1:]], check=False).returncode
    one = [*pytest, *(f"tests/{folder}" for folder in FIRST)]
    other = [*pytest, *(f"--ignore=tests/{folder}" for folder in FIRST)]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(other, stdout=said, stderr=said) as process:
            codes = (subprocess.run(one, check=False).returncode, process.wait())
        said.seek(0)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
