"""What the repository must not tell: hosts of registries, paths of one machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAKS = re.compile(
    "|".join([
        r"files\.python" + r"hosted",
        r"pypi\." + r"org",
        r"index-" + r"url",
        r"(?<![\w.])/(?:root|home/[a-z]\w*|Users/[a-z]\w*)/",
        r"\bfile:" + r"///(?:opt|root|home)",
    ])
)
SKIPPED = {".git", ".venv", ".swarm", "dist", "build", "__pycache__"}


def texts() -> list[Path]:
    found: list[Path] = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if not path.is_file() or SKIPPED & set(parts) or any(part.endswith("_cache") for part in parts):
            continue
        found.append(path)
    return found


def test_no_file_names_a_registry_or_a_home_folder() -> None:
    leaks: list[str] = []
    for path in texts():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        leaks += [f"{path.relative_to(ROOT)}: {match.group()}" for match in LEAKS.finditer(text)]

    assert leaks == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_hold_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]

    assert "://" not in text
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)
