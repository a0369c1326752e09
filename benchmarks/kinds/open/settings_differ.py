"""The same settings in three files, some of them different."""

from __future__ import annotations

import configparser
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import some

WORDINGS = (
    "Which settings are not the same in all three files of {folder}? Make {out} with the columns {columns}. "
    "A setting is written like section.name. Empty where a file does not have it. Lines that are commented out don't "
    "count.",
    "We have the configuration of three machines in {folder} and something behaves differently on one of them. Please "
    "write {out}, columns {columns}, with each setting (as section.name, e.g. {example}) whose value isn't identical "
    "everywhere, and the value each machine has. If it is not set somewhere leave the field blank.",
    "Create {out} ({columns}) listing all settings that differ between the three configuration files in {folder}. "
    "Settings are to be named section.name. A setting that a file lacks, or has only as a comment, is an empty value "
    "there. Settings equal in all three files must not be listed.",
    "three config files in {folder}, should be the same, aren't. Give me the differences as {out} with "
    "columns {columns}; setting means section.name like {example}. nothing in the cell if the file "
    "doesn't set it (commented out = not set). Don't list what is the same in all three.",
)
SECTIONS = {
    "server": {"host": ("10.0.0.1", "10.0.0.2", "10.0.0.7"), "port": ("8080", "8081", "80"), "workers": ("2", "4", "16"), "timeout": ("30", "60", "3")},
    "database": {"path": ("data/app.db", "srv/app.db", "old/app.db"), "pool": ("5", "20", "10"), "retries": ("3", "1", "8")},
    "mail": {"sender": ("shop@alder.example", "info@alder.example", "test@alder.example"), "enabled": ("true", "false", "maybe"), "limit": ("100", "1000", "50")},
    "log": {"level": ("debug", "info", "warning"), "file": ("app.log", "out/app.log", "none"), "keep": ("7", "14", "30")},
    "cache": {"size": ("64", "256", "512"), "ttl": ("300", "900", "60"), "kind": ("memory", "disk", "off")},
}  # fmt: skip


def make(rng: random.Random) -> Commission:
    names = rng.choice((("dev", "test", "prod"), ("alpha", "beta", "gamma"), ("till1", "till2", "office")))
    form = rng.choice(("ini", "json"))
    chosen = some(rng, list(SECTIONS), 3, 5)
    settings = [(section, name) for section in chosen for name in SECTIONS[section]]
    differing = set(some(rng, settings, 3, 7))
    values: dict[tuple[str, str], list[str]] = {}
    for section, name in settings:
        choices = SECTIONS[section][name]
        same = rng.choice(choices)
        values[section, name] = [same] * 3
        if (section, name) in differing:
            place = rng.randrange(3)
            values[section, name][place] = rng.choice([*(c for c in choices if c != same), ""])
    files = {
        f"config/{machine}.{form}": _written(rng, form, {key: row[i] for key, row in values.items()})
        for i, machine in enumerate(names)
    }
    terms = {
        "folder": "config",
        "out": "settings_diff.csv",
        "columns": ", ".join(("setting", *names)),
        "example": ".".join(settings[0]),
    }
    rows = tuple((".".join(key), *values[key]) for key in settings if key in differing)
    aim = Aim({terms["out"]: Sheet(("setting", *names), rows)})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _written(rng: random.Random, form: str, values: Mapping[tuple[str, str], str]) -> str:
    sections = rng.sample(sorted({section for section, _ in values}), len({section for section, _ in values}))
    if form == "json":
        tree = {
            s: {name: value for (owner, name), value in values.items() if owner == s and value}
            for s in sections
        }
        return json.dumps(tree, indent=2) + "\n"
    lines = ["; written by hand, please keep the order"]
    for section in sections:
        lines.append(f"[{section}]")
        for (owner, name), value in values.items():
            if owner != section:
                continue
            gap = rng.choice((" = ", "=", "= "))
            if value:
                lines.append(f"{name}{gap}{value}")
            if not value or rng.random() < 0.2:
                lines.append(f"# {name}{gap}{rng.choice(SECTIONS[section][name])}")
        lines.append("")
    return "\n".join(lines)


def solve(folder: Path, terms: Terms) -> Aim:
    columns = tuple(terms["columns"].split(", "))
    machines: dict[str, dict[str, str]] = {}
    for path in (folder / terms["folder"]).iterdir():
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            tree = cast(dict[str, dict[str, str]], json.loads(text))
        else:
            parser = configparser.ConfigParser()
            parser.read_string(text)
            tree = {section: dict(parser[section]) for section in parser.sections()}
        machines[path.stem] = {
            f"{s}.{name}": value for s, entries in tree.items() for name, value in entries.items()
        }
    rows: list[tuple[str, ...]] = []
    for setting in sorted({name for found in machines.values() for name in found}):
        row = tuple(machines[column].get(setting, "") for column in columns[1:])
        if len(set(row)) > 1:
            rows.append((setting, *row))
    return Aim({terms["out"]: Sheet(columns, tuple(rows))})


KIND = Kind(make, solve)
