"""A kind of task: what it makes from a seed, and what is right."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Literal, cast

from benchmarks.kinds.figure import Number

FOLDER = Path(__file__).parent
HALVES = ("open", "closed")

STRAYS = (
    ("shopping.txt", "milk\nbread\n2 light bulbs\n"),
    ("phone_list.csv", "name,phone\nOffice,200\nWorkshop,217\nMs Keller,231\n"),
    ("old/plan_2019.md", "# Plan\n\n- paint the door\n- call the plumber\n"),
    ("to_print.txt", "two signs for the door\n"),
)
"""Files that lie about in a folder and have nothing to do with the task."""

Half = Literal["open", "closed"]
Cell = Number | str
Fact = Number | str | date
Terms = Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """A table; the file's name says whether it is CSV, Markdown, or a list of JSON objects."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_ordered: bool = False
    is_cased: bool = False
    """Whether capitals and small letters count in its texts."""


@dataclass(frozen=True)
class Tree:
    """A JSON value."""

    value: object
    is_ordered: bool = False
    """Whether the order of lists counts."""


@dataclass(frozen=True)
class Page:
    """Markdown with one table under each heading; other words may stand around them."""

    sheets: Mapping[str, Sheet]


@dataclass(frozen=True)
class Roll:
    """A text with one entry a line."""

    entries: tuple[str, ...]
    is_ordered: bool = False


Content = Sheet | Tree | Page | Roll


@dataclass(frozen=True)
class Aim:
    """What is right."""

    files: Mapping[str, Content] = field(default_factory=dict[str, Content])
    """By path in the folder."""
    said: tuple[Fact, ...] = ()
    """What must stand in the answer."""
    unsaid: tuple[str, ...] = ()
    """What must not: where a choice is asked for, what is not chosen."""


@dataclass(frozen=True)
class Commission:
    """One task: a wording and a folder, and what is right for it."""

    task: str
    files: Mapping[str, str | bytes]
    """By path in the folder."""
    aim: Aim
    """From what the generator knows, not from the files."""
    terms: Terms = field(default_factory=dict[str, str])
    """What the wording sets: names of files, bounds."""


@dataclass(frozen=True)
class Kind:
    """A generator of tasks, and a way to solve them from the folder alone."""

    make: Callable[[random.Random], Commission]
    solve: Callable[[Path, Terms], Aim]
    """Reads the files of a folder; knows of the generator nothing but the terms of the wording."""
    name: str = ""
    half: Half = "open"

    def commission(self, seed: int) -> Commission:
        """Its task of that seed, the same each time."""
        rng = random.Random(f"{self.name} {seed}")
        commission = self.make(rng)
        return replace(
            commission, files={**commission.files, **dict(rng.sample(STRAYS, rng.choice((0, 0, 1, 2))))}
        )


def kinds_of(half: Half) -> list[Kind]:
    """The kinds of a half, in the order of their names."""
    names = sorted(path.stem for path in (FOLDER / half).glob("[a-z]*.py"))
    return [_named(importlib.import_module(f"benchmarks.kinds.{half}.{name}"), name, half) for name in names]


def _named(module: ModuleType, name: str, half: Half) -> Kind:
    kind = cast(Kind, module.KIND)
    return Kind(kind.make, kind.solve, name, half)
