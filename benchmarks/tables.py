"""Reading tables: the corpus cell by cell, a million rows to a sum beside DuckDB's own, ten million within memory."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python, run
from swarm.errors import ToolError
from swarm.tabular.file_table import FileTable
from swarm.tabular.files import loaded
from swarm.tabular.query_engine import rows_of, selected

PROOF = Proof(
    name="tables",
    claim="Each cell of a table file is read as it is, or the file is refused; a million rows take hardly longer "
    "than with DuckDB alone.",
    bar="0 wrong cells in ≥ 150 files; 1 million rows to a sum in ≤ 1.5 times DuckDB's own time; 10 million within 2 GB",
)
CORPUS = ROOT / "tests" / "tools" / "corpus"
HEADER = "order_id,ordered_on,customer,city,article,quantity,amount,note\n"
SUM = "SELECT SUM(amount) AS total FROM orders"
TRIES = 15


def wrong_files() -> list[str]:
    """Files of the corpus of which a cell is not read as it is."""
    return [path.name for path in sorted(CORPUS.glob("*.truth")) if not _is_right(path)]


def _is_right(path: Path) -> bool:
    truth = json.loads(path.read_text(encoding="utf-8"))
    try:
        rows = loaded(CORPUS, path.name.removesuffix(".truth"))
        found = list(rows_of(rows)) if isinstance(rows, FileTable) else list(rows)
    except ToolError as error:
        return "refused" in truth and str(truth["refused"]) in str(error)
    return bool([list(row.values()) for row in found] == truth.get("rows"))


def write_orders(path: Path, rows: int) -> None:
    """Writes a file of orders."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        file.writelines(
            f"{n},2024-{n % 12 + 1:02}-{n % 28 + 1:02},C{n % 7919:05},city {n % 500},article {n % 97},"
            f"{n % 9 + 1},{n * 7919 % 1_000_000 / 100:.2f},delivered on day {n % 31}\n"
            for n in range(rows)
        )


@dataclass
class Times:
    """Seconds to a sum, one for each try."""

    wall: list[float] = field(default_factory=list[float])
    processor: list[float] = field(default_factory=list[float])

    def add(self, work: Callable[[Path], None], path: Path) -> None:
        """Takes the time of one more try."""
        began, used = time.perf_counter(), time.process_time()
        work(path)
        self.wall.append(time.perf_counter() - began)
        self.processor.append(time.process_time() - used)


def times_to_a_sum(path: Path) -> tuple[Times, Times]:
    """Those of the product and of DuckDB alone in one process, in pairs; who is first changes.

    Both open a database, look how the file is written, and read it; nothing is kept from one to the next.
    """
    ours, own = Times(), Times()
    for number in range(TRIES):
        pair = [(ours, _by_the_product), (own, _by_duckdb)]
        for times, work in pair if number % 2 else reversed(pair):
            times.add(work, path)
    return ours, own


def _by_the_product(path: Path) -> None:
    selected(SUM, {"orders": loaded(path.parent, path.name)})


def _by_duckdb(path: Path) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SELECT SUM(amount) FROM read_csv(?)", [str(path)]).fetchall()


def measure() -> Findings:
    """All three, on files made for it."""
    wrong = wrong_files()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.csv")
        write_orders(path, 1_000_000)
        ours, own = times_to_a_sum(path)
        write_orders(path, 10_000_000)
        child = run(python("-m", "benchmarks.tables", str(path)), seconds=900)
    megabytes = int(child.stdout or 0)
    middle = statistics.median
    # The least times of a busy machine differ by chance; the medians of pairs hardly do.
    ratio = middle(ours.wall) / middle(own.wall)
    figures: dict[str, Figure] = {
        "files": len([*CORPUS.glob("*.truth")]),
        "files with a wrong cell": len(wrong),
        f"1 million rows to a sum, median of {TRIES}, s": round(middle(ours.wall), 3),
        "DuckDB's own, s": round(middle(own.wall), 3),
        "ratio": round(ratio, 2),
        "ratio of the least times": round(min(ours.wall) / min(own.wall), 2),
        "ratio of the processor's times": round(middle(ours.processor) / middle(own.processor), 2),
        "10 million rows, peak MB": megabytes,
    }
    faults = [f"{name} is not read as it is" for name in wrong]
    faults += [f"{ratio:.2f} times DuckDB's own time"] if ratio > 1.5 else []
    faults += [f"{megabytes} MB for 10 million rows"] if not 0 < megabytes <= 2_000 else []
    return Findings(figures, faults)


if __name__ == "__main__":
    if sys.argv[1:]:
        large = Path(sys.argv[1])
        _by_the_product(large)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    else:
        prove(PROOF, measure)
