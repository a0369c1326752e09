"""Links of the pages in ``docs/`` lead to files and headings that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: str) -> None:
    text = re.sub(
        r"^```.*?^```$", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("http")]

    lost: list[str] = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = DOCS / path if path else DOCS / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_word_of_the_glossary_is_used() -> None:
    """A word that was replaced leaves the glossary, too."""
    rows = re.findall(
        r"^\| `?([a-z][\w -]*?)`? \|", (DOCS / "glossary.md").read_text("utf-8"), flags=re.MULTILINE
    )
    words = [row for row in rows if row != "word"]
    sources = [
        *(DOCS.parent / "swarm").rglob("*.py"),
        *(page for page in DOCS.glob("*.md") if page.stem != "glossary"),
    ]
    text = " ".join(path.read_text(encoding="utf-8").lower() for path in sources)

    assert len(words) > 60
    assert [
        word for word in words if not re.search(rf"\b{word.replace('-', '[- ]?')}(s|d|ed)?\b", text)
    ] == []
