"""Solves a task as its kind knows how: ``python -m benchmarks.kinds.solved KIND SEED FOLDER``.

A command to hold the runner against, with the repository in `PYTHONPATH`: ``--command "python -m benchmarks.kinds.solved {kind} {seed} {workspace}"``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.kinds.labels import labelled
from benchmarks.kinds.render import write_aim


def main(label: str, seed: str, folder: str) -> None:
    """Writes the files into the folder and prints the answer."""
    kind = labelled()[label]
    print(write_aim(kind.solve(Path(folder), kind.commission(int(seed)).terms), Path(folder)))


if __name__ == "__main__":
    main(*sys.argv[1:4])
