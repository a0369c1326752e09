"""The reference pages in ``docs/`` are what ``docs/generate.py`` makes of the code now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import swarm
from docs.generate import PAGES

ROOT = Path(__file__).parents[2]
FROM_OUTSIDE = {"PATH", "LANG", "HOME", "TMPDIR"}
"""Variables that are passed on and decide nothing."""


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_makes_now(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    for public in swarm.__all__:
        getattr(swarm, public)  # which adds to what ``help`` shows of it, and to no page

    assert written == PAGES[name](), "run: python docs/generate.py"


def test_every_variable_that_the_code_reads_is_in_the_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    read = {
        name
        for path in (ROOT / "swarm").rglob("*.py")
        for name in re.findall(r'environ(?:ment)?\.get\("(\w+)"', path.read_text(encoding="utf-8"))
    }

    assert {"SWARM_MODEL", "SWARM_MODELS", "SWARM_THREADS", "EDITOR"} <= read
    assert {name for name in read - FROM_OUTSIDE if f"`{name}`" not in page} == set()
