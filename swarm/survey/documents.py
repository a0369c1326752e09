"""The text of a PDF or DOCX file, made by a library where one is installed, in a process of its own.

A file may keep such a library busy for hours or ask for all memory; a process can be ended.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from swarm.errors import ToolError
from swarm.survey.kinds import DOCX, PDF

PACKAGES = {PDF: ("pypdf", "pypdf"), DOCX: ("docx", "python-docx")}
"""By kind, the module and the package that it comes with."""
MOST_BYTES = 32 * 1024 * 1024
SECONDS = 10.0


def lacks(kind: str) -> str:
    """Why no file of a kind can be read here; empty where it can."""
    module, package = PACKAGES[kind]
    if importlib.util.find_spec(module) is None:
        return f"{kind} files are read where the package {package} is installed, and it is not"
    return ""


def text_of(path: Path, kind: str, size_bytes: int) -> str:
    """The text of the first pages.

    Raises:
        ToolError: no library is there that reads it, or it can't be read; says which and why.
    """
    if why := lacks(kind):
        raise ToolError(why)
    _, package = PACKAGES[kind]
    if size_bytes > MOST_BYTES:
        raise ToolError(f"it has over {MOST_BYTES // 1024 // 1024} MB")
    script = Path(__file__).with_name("extraction.py")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            done = subprocess.run(
                [sys.executable, "-P", str(script), kind],
                stdin=file,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{package} took over {SECONDS:g} s for it") from None
    except OSError as error:
        raise ToolError(f"it can't be read ({error.strerror or error})") from error
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
        raise ToolError(f"{package} can't read it ({last[:120]})")
    if not said.strip():
        raise ToolError("it holds no text, maybe just pictures of pages")
    return said
