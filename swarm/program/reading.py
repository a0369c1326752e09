"""The text of a file, whatever its encoding."""

from __future__ import annotations

from pathlib import Path

from swarm.errors import ToolError


def text_in(path: Path, name: str) -> str:
    """The text of a file with plain ends of lines; ``name`` is what its reader calls it.

    Raises:
        ValueError: it is no text.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _guessed(path, name)
    if b"\0" in data[:4_096]:
        text = _guessed(path, name)
    return text.replace("\r\n", "\n")


def _guessed(path: Path, name: str) -> str:
    """The text of a file in another encoding than UTF-8."""
    from swarm.tabular.encoding import decoded

    try:
        return decoded(path)
    except ToolError as error:
        raise ValueError(f"{name}: {error}") from error
