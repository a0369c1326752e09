"""Count sheets of a stock-take and the inventory they are held against; some counts differ."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from examples.example import Column, Truth, dice, run_generator, write_database, write_text

NAME = "stock-take"
AISLES = 6
ITEMS = (
    "Garden hose", "Rake", "Spade", "Watering can", "Flower pot", "Bird feeder", "Lamp oil", "Candle",
    "Matches", "Torch", "Battery", "Extension lead", "Light bulb", "Fuse", "Paint brush", "Paint roller",
    "White paint", "Primer", "Sandpaper", "Wood glue", "Hammer", "Screwdriver", "Pliers", "Spirit level",
    "Nails", "Screws", "Hinges", "Door handle", "Padlock", "Rope",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One article: what the inventory says and what was counted, aisle by aisle."""

    sku: str
    name: str
    quantity: int
    counts: tuple[tuple[int, int], ...]
    """Aisle (from 1) and the pieces counted there."""

    @property
    def counted(self) -> int:
        return sum(pieces for _, pieces in self.counts)

    @property
    def is_split(self) -> bool:
        """Decoy: it lies in two aisles, and no sheet alone has the inventory's figure."""
        return len(self.counts) > 1


def items(seed: int) -> list[Item]:
    """The articles of a seed: three to five that differ, and four that lie in two aisles.

    One of the four differs; the counts of the other three add up to the inventory.
    """
    chance = dice(NAME, seed)
    names = chance.sample(ITEMS, len(ITEMS))
    skus = [f"A{number}" for number in chance.sample(range(100, 1000), len(names))]
    order = chance.sample(range(len(names)), len(names))
    split = set(order[:4])
    # The last of those in two aisles is the first of those that differ.
    differing = set(order[3 : 3 + chance.choice((3, 4, 5))])
    return [
        _item(chance, sku, name, is_split=number in split, differs=number in differing)
        for number, (sku, name) in enumerate(zip(skus, names, strict=True))
    ]


def _item(chance: random.Random, sku: str, name: str, *, is_split: bool, differs: bool) -> Item:
    quantity = chance.randrange(12, 120)
    counted = quantity + (chance.choice((-7, -4, -2, -1, 1, 3, 6)) if differs else 0)
    aisles = chance.sample(range(1, AISLES + 1), 2)
    if not is_split:
        return Item(sku, name, quantity, ((aisles[0], counted),))
    first = chance.randrange(3, counted - 3)
    return Item(sku, name, quantity, ((aisles[0], first), (aisles[1], counted - first)))


def truth(seed: int) -> Truth:
    """The articles of a seed whose count differs."""
    made = items(seed)
    found = [item for item in made if item.counted != item.quantity]
    return Truth(
        file="differences.json",
        columns=(
            Column("sku", "text", ("sku", "article", "item"), is_key=True),
            Column("counted", "number", ("count", "found", "actual")),
            Column("expected", "number", ("expect", "inventory", "quantity", "stock")),
        ),
        rows=tuple(
            {"sku": item.sku, "counted": str(item.counted), "expected": str(item.quantity)} for item in found
        ),
        decoys={
            item.sku: "it lies in two aisles whose counts add up to the inventory"
            for item in made
            if item.is_split and item not in found
        },
        answer=tuple(item.sku for item in found),
    )


def write(folder: Path, seed: int) -> None:
    """Writes ``counts/aisle-N.csv`` and ``inventory.db`` into a folder."""
    chance = dice(NAME + "/order", seed)
    made = items(seed)
    for aisle in range(1, AISLES + 1):
        lines = [f"{item.sku},{pieces}" for item in made for place, pieces in item.counts if place == aisle]
        chance.shuffle(lines)
        write_text(folder / "counts" / f"aisle-{aisle}.csv", "\n".join(["sku,counted", *lines]) + "\n")
    write_database(
        folder / "inventory.db",
        "CREATE TABLE items (sku TEXT PRIMARY KEY, name TEXT, quantity INTEGER)",
        sorted((item.sku, item.name, item.quantity) for item in made),
    )


if __name__ == "__main__":
    run_generator(NAME)
