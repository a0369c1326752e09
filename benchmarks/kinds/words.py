"""Names and things that tasks are about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

Item = TypeVar("Item")

FIRST = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jakob",
    "Kofi",
    "Lena",
    "Marta",
    "Nils",
    "Olga",
    "Pavel",
    "Ruth",
    "Samir",
    "Tilda",
    "Umar",
    "Vera",
    "Walid",
    "Yara",
    "Zoe",
]
LAST = [
    "Adler",
    "Brandt",
    "Castro",
    "Dvorak",
    "Ek",
    "Ferrari",
    "Gruber",
    "Hansen",
    "Ivanov",
    "Jansen",
    "Keller",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Schmid",
    "Tanaka",
    "Ulrich",
    "Varga",
    "Weiss",
    "Zimmer",
]
CITIES = [
    "Aachen",
    "Bergen",
    "Cork",
    "Dresden",
    "Esbjerg",
    "Freiburg",
    "Ghent",
    "Hull",
    "Innsbruck",
    "Jena",
    "Krakow",
    "Lille",
    "Malmo",
    "Nantes",
    "Odense",
    "Porto",
    "Riga",
    "Siena",
    "Turku",
    "Utrecht",
]
FIRMS = [
    "Alder",
    "Basalt",
    "Cobalt",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Harbour",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Linden",
    "Meadow",
    "Nimbus",
    "Orchard",
    "Pioneer",
    "Quarry",
    "Ridge",
    "Sable",
    "Tundra",
]
SUFFIXES = ["Ltd", "GmbH", "Inc", "Works", "Supplies", "Trading", "Services"]
GOODS = [
    "anchor bolt",
    "brass hinge",
    "cable tie",
    "door handle",
    "emery paper",
    "floor lamp",
    "garden hose",
    "hex key",
    "iron bracket",
    "junction box",
    "kitchen tap",
    "ladder",
    "masking tape",
    "nail set",
    "oil can",
    "paint roller",
    "quick clamp",
    "rubber seal",
    "spirit level",
    "tape measure",
    "utility knife",
    "vise",
    "wood glue",
    "zip bag",
]


def some(rng: random.Random, items: Sequence[Item], low: int, high: int) -> list[Item]:
    """Between so many items and so many, each once, in any order."""
    return rng.sample(list(items), rng.randint(low, min(high, len(items))))


def people(rng: random.Random, count: int) -> list[str]:
    """So many different people, first and last name; no two share either while names last."""
    firsts, lasts = rng.sample(FIRST, len(FIRST)), rng.sample(LAST, len(LAST))
    return [f"{firsts[i % len(firsts)]} {lasts[(i + i // len(lasts)) % len(lasts)]}" for i in range(count)]


def firms(rng: random.Random, count: int) -> list[str]:
    """So many different companies."""
    return [f"{name} {rng.choice(SUFFIXES)}" for name in rng.sample(FIRMS, count)]


def day(rng: random.Random, first: date, days: int) -> date:
    """A day of the so many that begin with the first."""
    return first + timedelta(days=rng.randrange(days))


def cents(rng: random.Random, low: int, high: int) -> int:
    """A price in cents, between two in whole units."""
    return rng.randint(low * 100, high * 100)


def money(amount: int, mark: str = ".") -> str:
    """Cents as people write them: ``12.50``."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}{mark}{abs(amount) % 100:02}"
