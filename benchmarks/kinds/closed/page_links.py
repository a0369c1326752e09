"""Markdown pages with links between them, some of which lead nowhere."""

from __future__ import annotations

import posixpath
import random
import re
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import some

COLUMNS = ("file", "line", "target")
WORDINGS = (
    "Check the links of the Markdown files in {folder}. Those to files that don't exist to {out}: file ({folder}/...), "
    "line, target (as written). Web addresses aren't checked. How many links are broken?",
    "We moved some pages of our handbook ({folder}) and now there are dead links between them. Please list them in "
    "{out} with file (path like {folder}/x.md), line (number of the line) and target (what stands in the round "
    "brackets, as it is). A link counts from the folder of the page it is on; ignore those to the web. Tell me too how "
    "many dead ones you found.",
    "Produce {out} with the columns file, line and target for every relative link in the pages under {folder} whose "
    "target file is missing; file is the path of the page ({folder}/...), target the link exactly as written including "
    "a part after #, if any. http and https links are not to be considered. State the number of broken links in the "
    "reply.",
    "Before we print the handbook: any dead links in {folder}? I mean links from page to page, not to "
    "websites. Write them to {out}: file ({folder}/...), line, target (copy it as it stands in the "
    "page), and give me the count.",
)
FOLDERS = ("", "guide/", "office/", "guide/tools/")
NAMES = [
    "access",
    "backup",
    "cash",
    "contact",
    "doors",
    "e-mail",
    "holidays",
    "keys",
    "lunch",
    "parking",
    "phones",
    "printing",
    "rooms",
    "safety",
    "travel",
    "wifi",
]
TEXTS = (
    "See [{label}]({target}).",
    "More in [{label}]({target}) and on the board.",
    "* [{label}]({target})",
    "Ask first, then read [{label}]({target})!",
)


def make(rng: random.Random) -> Commission:
    root = rng.choice(("handbook", "docs", "pages"))
    paths = [f"{rng.choice(FOLDERS)}{name}.md" for name in some(rng, NAMES, 8, 16)]
    files: dict[str, str] = {}
    rows: list[tuple[str, int, str]] = []
    for path in paths:
        lines = [f"# {Path(path).stem.title()}", ""]
        for _ in range(rng.randint(4, 14)):
            kind = rng.choices(("text", "good", "lost", "web", "moved"), (5, 5, 1, 1, 1))[0]
            target = _target(rng, kind, path, paths)
            if not target:
                lines.append(rng.choice(("Nothing changes here.", "", "Use the side door (after six).")))
                continue
            lines.append(
                rng.choice(TEXTS).format(label=rng.choice(("this page", "the list", "here")), target=target)
            )
            if kind != "web" and _aimed(path, target) not in paths:
                rows.append((f"{root}/{path}", len(lines), target))
        files[f"{root}/{path}"] = "\n".join(lines) + "\n"
    if len(rows) < 3:
        return make(rng)
    terms = {"folder": root, "out": rng.choice(("broken_links.csv", "dead_links.csv"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))}, (len(rows),))
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _target(rng: random.Random, kind: str, path: str, paths: list[str]) -> str:
    other = rng.choice(paths)
    part = rng.choice(("", "", "#hours"))
    here = posixpath.dirname(path)
    if kind == "web":
        return rng.choice(("https://handbook.example/start.md", "http://wiki.example/a"))
    if kind == "good":
        return posixpath.relpath(other, here or ".") + part
    if kind == "lost":
        return (
            posixpath.relpath(other.replace(".md", rng.choice(("_old.md", "s.md", ".html"))), here or ".")
            + part
        )
    return other if kind == "moved" else ""


def _aimed(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target.partition("#")[0]))


def solve(folder: Path, terms: Terms) -> Aim:
    rows: list[tuple[str, int, str]] = []
    for path in sorted((folder / terms["folder"]).rglob("*.md")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.findall(r"\[[^\]]*\]\(([^)]*)\)", line)
            lost = [
                target for target in found if not target.startswith("http") and not _is_there(path, target)
            ]
            rows += [(path.relative_to(folder).as_posix(), number, target) for target in lost]
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))}, (len(rows),))


def _is_there(page: Path, target: str) -> bool:
    return (page.parent / target.split("#")[0]).is_file()


KIND = Kind(make, solve)
