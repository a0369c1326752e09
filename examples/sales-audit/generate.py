"""Sales reports and the orders they report on; some reported totals are wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from examples.example import Column, Truth, dice, run_generator, write_database, write_text

NAME = "sales-audit"
REGIONS = ("north", "south", "west")
MONTHS = ("2026-01", "2026-02")
ORDERS = 12
"""Orders of one region in one month."""

OPENINGS = (
    "The {region} team closed the month with total sales of {total} EUR.",
    "Total sales of the region came to {total} EUR this month.",
    "Orders in the {region} region added up to a total of {total} EUR.",
    "This month the {region} office booked total sales of {total} EUR.",
)
LAST_YEAR = "In the same month of last year the total was {amount} EUR, and the target for this month was {target} EUR."
REMARKS = (
    "Most orders came from customers who had bought before.",
    "Two trade visits were made and one new reseller was signed.",
    "Deliveries were on time, with one exception that was settled by telephone.",
    "The team expects a quiet start into the coming month.",
    "No price changes are planned before the summer.",
    "The new catalogue was well received and brought several enquiries.",
    "One colleague joined the office and is now fully trained.",
    "Returns stayed low and were handled within a week.",
    "Stock levels are healthy and no article was sold out.",
    "The fair in the spring will be prepared together with the other regions.",
)


@dataclass(frozen=True)
class Report:
    """One report and what the orders behind it add up to."""

    region: str
    month: str
    amounts: tuple[Decimal, ...]
    reported: Decimal
    is_spaced: bool = False
    """Decoy: thousands set apart by a space."""
    other: Decimal | None = None
    """Decoy: last year's total, stated in the same report."""

    @property
    def actual(self) -> Decimal:
        return sum(self.amounts, Decimal())


def reports(seed: int) -> list[Report]:
    """The reports of a seed: two or three wrong ones, and two decoys among the right ones."""
    chance = dice(NAME, seed)
    places = [(region, month) for month in MONTHS for region in REGIONS]
    amounts = {place: _amounts(chance) for place in places}
    shuffled = chance.sample(places, len(places))
    wrong = shuffled[: chance.choice((2, 2, 3))]
    compared, spaced = shuffled[-1], shuffled[-2]
    return [
        Report(
            region=place[0],
            month=place[1],
            amounts=amounts[place],
            reported=sum(amounts[place], Decimal())
            + (_error(chance, amounts[place]) if place in wrong else 0),
            is_spaced=place == spaced,
            other=sum(_amounts(chance), Decimal()) if place == compared else None,
        )
        for place in places
    ]


def _amounts(chance: random.Random) -> tuple[Decimal, ...]:
    # Quarters are exact in binary, so a plain SUM is the exact total in any version of SQLite.
    return tuple(Decimal(chance.randrange(800, 8_000)) / 4 for _ in range(ORDERS))


def _error(chance: random.Random, amounts: tuple[Decimal, ...]) -> Decimal:
    """How a total goes wrong: an order left out, one counted twice, a digit mistyped."""
    return chance.choice((-amounts[0], amounts[-1], Decimal(900), Decimal(-90)))


def truth(seed: int) -> Truth:
    """The wrong totals of a seed."""
    found = [report for report in reports(seed) if report.reported != report.actual]
    return Truth(
        file="findings.csv",
        columns=(
            Column("region", "text", ("region",), is_key=True),
            Column("month", "month", ("month",), is_key=True),
            Column("reported", "number", ("report", "stated")),
            Column("actual", "number", ("actual", "order", "database", "real", "correct")),
        ),
        rows=tuple(
            {
                "region": report.region,
                "month": report.month,
                "reported": f"{report.reported:.2f}",
                "actual": f"{report.actual:.2f}",
            }
            for report in found
        ),
        decoys={
            f"{report.region} {report.month}": "its total is right"
            for report in reports(seed)
            if report not in found
        },
        answer=tuple(f"{report.region} {report.month}" for report in found),
    )


def write(folder: Path, seed: int) -> None:
    """Writes ``reports/*.md`` and ``sales.db`` into a folder."""
    chance = dice(NAME + "/prose", seed)
    made = reports(seed)
    for report in made:
        write_text(folder / "reports" / f"{report.region}-{report.month}.md", _prose(report, chance))
    rows = [(report.region, report.month, float(amount)) for report in made for amount in report.amounts]
    chance.shuffle(rows)
    write_database(
        folder / "sales.db",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, region TEXT, month TEXT, amount REAL)",
        [(number, *row) for number, row in enumerate(rows, start=1)],
    )


def _prose(report: Report, chance: random.Random) -> str:
    total = f"{report.reported:,.2f}"
    opening = chance.choice(OPENINGS).format(
        region=report.region, total=total.replace(",", " ") if report.is_spaced else total
    )
    parts = [opening, *chance.sample(REMARKS, 5)]
    if report.other is not None:
        target = (report.other + 1_500).quantize(Decimal(1))
        parts.insert(1, LAST_YEAR.format(amount=f"{report.other:,.2f}", target=f"{target:,.2f}"))
    return f"# Sales report\n\nRegion: {report.region}\nMonth: {report.month}\n\n{' '.join(parts)}\n"


if __name__ == "__main__":
    run_generator(NAME)
