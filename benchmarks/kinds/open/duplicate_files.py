"""Files that have the same content under other names."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Terms, Tree
from benchmarks.kinds.words import GOODS, some

WORDINGS = (
    "Find the files in {folder} that have exactly the same content and write them to {out} as a JSON list of lists: one "
    "list for each set of identical files, with their paths (beginning with {folder}/). Files without a twin don't "
    "belong in there.",
    "Over the years lots of copies piled up in {folder}. Please find out which files are really identical, never mind "
    "how they're called, and save the groups in {out}: a JSON array in which each group is an array of paths like "
    "{folder}/x.txt. Only groups of two and more.",
    "{out}: JSON, list of groups, each a list of the paths ({folder}/...) of files whose contents are identical byte by "
    "byte. Leave out files that exist once only.",
    "I think half of {folder} is copies of the other half!! Which files are the same inside? Result in "
    "{out} please, JSON: one list, in it a list of paths ({folder}/...) for each bunch of same files. If "
    "a file has no copy don't put it.",
)
FOLDERS = ("", "old/", "backup/", "2024/", "2025/", "desk/")
NAMES = [
    "agenda",
    "budget",
    "contract",
    "draft",
    "list",
    "menu",
    "minutes",
    "notes",
    "offer",
    "plan",
    "prices",
    "report",
    "table",
    "visit",
]
ENDS = (".txt", ".txt", ".md", "_copy.txt", "_final.txt", " (1).txt")


def make(rng: random.Random) -> Commission:
    folder = rng.choice(("documents", "archive", "shared"))
    paths = _paths(rng, folder, rng.randint(18, 45))
    files: dict[str, str] = {}
    groups: list[list[str]] = []
    while paths:
        size = min(len(paths), rng.choice((1, 1, 1, 1, 2, 2, 3)))
        group, paths = paths[:size], paths[size:]
        lines = [f"{rng.randint(1, 90)} {good}" for good in some(rng, GOODS, 4, 14)]
        text = "\n".join(lines) + "\n"
        files.update(dict.fromkeys(group, text))
        if size > 1:
            groups.append(group)
            if paths and rng.random() < 0.6:
                near = paths.pop()
                files[near] = rng.choice((
                    text.rstrip("\n"),
                    text.replace(lines[0], lines[0][::-1]),
                    text + "\n",
                ))
    if len(groups) < 3:
        return make(rng)
    terms = {"folder": folder, "out": rng.choice(("duplicates.json", "same_files.json", "twins.json"))}
    shuffled = dict(sorted(files.items()))
    aim = Aim({terms["out"]: Tree(groups)})
    return Commission(rng.choice(WORDINGS).format(**terms), shuffled, aim, terms)


def _paths(rng: random.Random, folder: str, count: int) -> list[str]:
    every = [f"{folder}/{sub}{name}{end}" for sub in FOLDERS for name in NAMES for end in ENDS]
    return rng.sample(sorted(set(every)), count)


def solve(folder: Path, terms: Terms) -> Aim:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for path in sorted((folder / terms["folder"]).rglob("*")):
        if path.is_file():
            groups[path.read_bytes()].append(path.relative_to(folder).as_posix())
    return Aim({terms["out"]: Tree([group for group in groups.values() if len(group) > 1])})


KIND = Kind(make, solve)
