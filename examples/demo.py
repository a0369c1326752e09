"""The demo: gets the embedded model, audits freshly made sales reports with it, checks the outcome."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from examples.example import FOLDER, load, task_of
from swarm.nouns.events import RunEnded
from swarm.nouns.limits import Usage
from swarm.store.shelf.reader import read_events

EXAMPLE = "sales-audit"
SEED = 1
MODEL = "qwen2.5-coder-1.5b-instruct"
SWARM = [sys.executable, "-c", "from swarm.cli.app import main; main()"]


def main() -> int:
    """0 when the run's outcome is right, 1 when it is not, another number when it did not run."""
    say(f"1. The model: {MODEL} (1.1 GB, fetched once)")
    if status := subprocess.run([*SWARM, "models", "pull", MODEL], check=False).returncode:
        return status
    project = make_project(FOLDER.parent / ".swarm" / "demo" / time.strftime("%Y-%m-%d-%H%M%S"))
    say(f"2. The data: six sales reports and a database, in {shown(project / 'data')}")
    say(f"3. The task: {task_of(EXAMPLE)}")
    command = [*SWARM, "run", task_of(EXAMPLE), "--project", str(project), "--model", MODEL, "--yes"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in {0, 1}:
        return done.returncode
    return judge(project, done.stdout)


def make_project(folder: Path) -> Path:
    """A new project with the example's settings and freshly made data."""
    folder.mkdir(parents=True)
    shutil.copy(FOLDER / EXAMPLE / "swarm.toml", folder)
    load(EXAMPLE).write(folder / "data", SEED)
    return folder


def judge(project: Path, answer: str) -> int:
    """Prints the answer, what is right and wrong in the outcome, what it cost and where it lies."""
    score = load(EXAMPLE).check(project / "data", answer, SEED)
    usage = usage_of(project)
    say(f"4. The answer:\n\n{answer.strip()}\n")
    say(f"5. Held against the truth, which no agent could read:\n\n{score}\n")
    say(
        f"tokens: {usage.prefilled_tokens:,} prefilled, {usage.written_tokens:,} written, in {usage.model_calls} model calls"
    )
    say(f"files:  {shown(project / 'data' / 'findings.csv')}")
    say(f"record: swarm show --project {shown(project)}")
    return 0 if score.is_right else 1


def usage_of(project: Path) -> Usage:
    """What the project's run spent."""
    runs = (project / ".swarm" / "runs").glob("*.db")
    ends = [event for path in runs for event in read_events(path) if isinstance(event, RunEnded)]
    return ends[-1].usage if ends else Usage()


def shown(path: Path) -> str:
    """A path as a person in the checkout would type it."""
    return str(path.relative_to(FOLDER.parent))


def say(text: str) -> None:
    """Prints at once, so that it stands in order with what the commands print."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
