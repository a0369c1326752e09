"""Reading tables: the corpus cell by cell, a million rows to a sum beside DuckDB's own, ten million within memory."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python, run
from swarm.errors import ToolError
from swarm.tabular.engine import rows_of, selected
from swarm.tabular.file_table import FileTable
from swarm.tabular.files import loaded

PROOF = Proof(
    name="tables",
    claim="Each cell of a table file is read as it is, or the file is refused; a million rows take hardly longer "
    "than with DuckDB alone.",
    bar="0 wrong cells in ≥ 150 files; 1 million rows to a sum in ≤ 1.5 times DuckDB's own time; 10 million within 2 GB",
)
CORPUS = ROOT / "tests" / "tools" / "corpus"
HEADER = "order_id,ordered_on,customer,city,article,quantity,amount,note\n"
SUM = "SELECT SUM(amount) AS total FROM orders"
TRIES = 7


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


def ratio(path: Path) -> tuple[float, float]:
    """Seconds to a sum by the product and by DuckDB alone, each the median of several tries in turn."""
    ours: list[float] = []
    own: list[float] = []
    for _ in range(TRIES):
        began = time.perf_counter()
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute("SELECT SUM(amount) FROM read_csv(?)", [str(path)]).fetchall()
        own.append(time.perf_counter() - began)
        began = time.perf_counter()
        selected(SUM, {"orders": loaded(path.parent, path.name)})
        ours.append(time.perf_counter() - began)
    return statistics.median(ours), statistics.median(own)


def measure() -> Findings:
    """All three, on files made for it."""
    wrong = wrong_files()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.csv")
        write_orders(path, 1_000_000)
        ours, own = ratio(path)
        write_orders(path, 10_000_000)
        child = run(python("-m", "benchmarks.tables", str(path)), seconds=900)
    megabytes = int(child.stdout or 0)
    figures: dict[str, Figure] = {
        "files": len([*CORPUS.glob("*.truth")]),
        "files with a wrong cell": len(wrong),
        "1 million rows to a sum, s": round(ours, 3),
        "DuckDB's own, s": round(own, 3),
        "ratio": round(ours / own, 2),
        "10 million rows, peak MB": megabytes,
    }
    faults = [f"{name} is not read as it is" for name in wrong]
    faults += [f"{ours / own:.2f} times DuckDB's own time"] if ours > 1.5 * own else []
    faults += [f"{megabytes} MB for 10 million rows"] if not 0 < megabytes <= 2_000 else []
    return Findings(figures, faults)


if __name__ == "__main__":
    if sys.argv[1:]:
        large = Path(sys.argv[1])
        selected(SUM, {"orders": loaded(large.parent, large.name)})
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    else:
        prove(PROOF, measure)
