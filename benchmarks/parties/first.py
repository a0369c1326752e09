"""A run as a program starts it, for the time to its first model request."""

from __future__ import annotations

import shutil
import sys

from benchmarks.parties.meter import TASK
from benchmarks.parties.ours import plan_of, project
from swarm import Answer, run_sync


def main() -> None:
    """Runs one step of one turn."""
    folder = project()
    settings = f'\n[model]\nname = "turns"\nurl = "{sys.argv[1]}"\n'
    with (folder / "swarm.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    try:
        answer: Answer[str] = run_sync(TASK, folder, plan=plan_of(1))
    finally:
        shutil.rmtree(folder)
    if answer.status != "done":
        raise SystemExit(f"the run is {answer.status}: {answer.missing}")


if __name__ == "__main__":
    main()
