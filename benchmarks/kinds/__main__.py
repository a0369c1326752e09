"""Proves what becomes of tasks of many kinds, in a person's words: right, wrong unsaid, or an honest failure.

Half of the kinds are open; of the closed half nothing is printed but numbers.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import cast

from benchmarks.kinds.kind import Half
from benchmarks.kinds.labels import labelled
from benchmarks.kinds.ruling import OUT_OF_TIME, RULINGS
from benchmarks.kinds.work import OURS, Done, Job, do
from benchmarks.proof import Figure, Findings, Proof, commit, prove
from benchmarks.runs import workplace

MODEL = "qwen2.5-coder-1.5b-instruct"
MINUTES = 15.0

PROOF = Proof(
    name="kinds",
    claim="Of tasks of many kinds, worded by someone who has seen no prompt, none ends wrong and presented as right.",
    bar="every task asked for was run, and none is wrong without saying so",
)

Row = dict[str, Figure]


def main(words: list[str] | None = None) -> None:
    """Runs the tasks asked for; the result is recorded where our own command ran them with a real model."""
    options = _options(words)
    jobs = _jobs(options)
    if options.dry:
        for job in jobs:
            _describe(job)
    elif options.command or options.model.startswith("scripted"):
        findings = measure(jobs, options)
        print(json.dumps(findings.figures, indent=1))
    else:
        prove(PROOF, lambda: measure(jobs, options))


def measure(jobs: list[Job], options: argparse.Namespace) -> Findings:
    """Does what is not done yet, one line a task, and sums up."""
    command = shlex.split(options.command) if options.command else [*OURS, "--model", options.model]
    keep = Path(options.keep or workplace(PROOF.name)).absolute()
    keep.mkdir(parents=True, exist_ok=True)
    progress = keep / "progress.jsonl"
    rows = recorded(progress, _by(options)) if options.go_on else {}
    if not options.go_on:
        progress.unlink(missing_ok=True)
    for number, job in enumerate(jobs, 1):
        if (job.label, job.seed) not in rows:
            done = _done(job, command, options.minutes * 60, keep)
            row = _row(job, done, _by(options))
            with progress.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            rows[job.label, job.seed] = row
            print(f"  {number}/{len(jobs)} {_line(row)}", flush=True)
            if done.problem and done.ruling == "honest":
                print(f"    {done.problem}", file=sys.stderr, flush=True)
    asked = [rows[job.label, job.seed] for job in jobs]
    _print_table(asked)
    return summary(asked)


def _done(job: Job, command: list[str], seconds: float, keep: Path) -> Done:
    try:
        return do(job, command, seconds, keep)
    except FileNotFoundError as error:
        if error.filename != command[0]:
            raise
        raise SystemExit(
            f"benchmarks.kinds: there is no command {command[0]!r}; give its full path"
        ) from error


def recorded(progress: Path, by: str) -> dict[tuple[str, int], Row]:
    """The tasks of a progress file that were done by the same command and model."""
    lines = progress.read_text(encoding="utf-8").splitlines() if progress.is_file() else []
    rows = [cast(Row, json.loads(line)) for line in lines]
    return {(str(row["kind"]), int(row["seed"])): row for row in rows if row["by"] == by}


def summary(rows: list[Row]) -> Findings:
    """The figures over all tasks, and what is below the bar."""
    figures: dict[str, Figure] = {"tasks": len(rows)}
    for ruled, text in RULINGS.items():
        figures[text] = sum(row["ruling"] == ruled for row in rows)
    figures["of those that failed, out of time"] = sum(row["status"] == OUT_OF_TIME for row in rows)
    for half in "open", "closed":
        some = [row for row in rows if row["half"] == half]
        good = sum(row["ruling"] in {"right", "doubted"} for row in some)
        figures[f"{half} half, right"] = f"{good} of {len(some)}"
    for name in "prefilled", "written", "model calls", "wall (s)":
        figures[f"{name}, mean"] = round(sum(float(row[name]) for row in rows) / max(1, len(rows)), 1)
    wrong = [
        f"{row['kind']} seed {row['seed']} is wrong and does not say so"
        for row in rows
        if row["ruling"] == "wrong"
    ]
    return Findings(figures, wrong, rows)


def _row(job: Job, done: Done, by: str) -> Row:
    row: Row = {
        "kind": job.label,
        "half": job.kind.half,
        "seed": job.seed,
        "ruling": done.ruling,
        "status": done.status,
    }
    spent: Mapping[str, int] = done.spent
    for name in "prefilled", "cached", "written":
        row[name] = spent.get(f"{name}_tokens", 0)
    row["model calls"], row["tool calls"] = spent.get("model_calls", 0), spent.get("tool_calls", 0)
    row |= {"wall (s)": done.seconds, "extra files": len(done.extra), "commit": commit(), "by": by}
    if job.kind.half == "open":
        row["faults"] = " ".join("; ".join(done.faults).replace("|", "/").split())[:300]
    return row


def _by(options: argparse.Namespace) -> str:
    return str(options.command or options.model)


def _line(row: Row) -> str:
    told = "" if row["ruling"] == "right" else f": {row.get('faults', '')}"[:120]
    spent = f"{row['model calls']} calls, {row['prefilled']}+{row['written']} tokens, {row['wall (s)']} s"
    return f"{row['kind']} {row['seed']}: {RULINGS[row['ruling']]} [{row['status']}] {spent}{told}"  # type: ignore[index]  # a ruling


def _print_table(rows: list[Row]) -> None:
    """One line for each kind: how many of its tasks ended how."""
    names = sorted({str(row["kind"]) for row in rows}, key=lambda name: (name.startswith("closed-"), name))
    print(f"\n  {'kind':<22}" + "".join(f"{name:>9}" for name in RULINGS) + f"{'tokens':>10}{'wall (s)':>10}")
    for name in names:
        some = [row for row in rows if row["kind"] == name]
        counts = "".join(f"{sum(row['ruling'] == each for row in some):>9}" for each in RULINGS)
        tokens = round(sum(int(row["prefilled"]) + int(row["written"]) for row in some) / len(some))
        wall = round(sum(float(row["wall (s)"]) for row in some) / len(some), 1)
        print(f"  {name:<22}{counts}{tokens:>10}{wall:>10}")
    print(flush=True)


def _describe(job: Job) -> None:
    commission = job.kind.commission(job.seed)
    print(f"{job.label} {job.seed}\n\n{commission.task}\n")
    for name, content in commission.files.items():
        print(f"  {len(content if isinstance(content, bytes) else content.encode()):>8}  {name}")
    print()


def _jobs(options: argparse.Namespace) -> list[Job]:
    half = None if options.half == "both" else cast(Half, options.half)
    kinds = labelled("open" if options.dry else half)
    unknown = [name for name in options.kinds if name not in kinds]
    if unknown or not kinds:
        raise SystemExit(
            f"benchmarks.kinds: there is no kind {', '.join(unknown)}; there are {', '.join(kinds)}"
        )
    return [Job(kinds[name], name, seed) for seed in options.seeds for name in options.kinds or kinds]


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.kinds", description=__doc__)
    parser.add_argument("--half", choices=("open", "closed", "both"), default="both")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], metavar="N")
    parser.add_argument("--kinds", nargs="+", default=[], metavar="NAME", help="names as they are printed")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--go-on", action="store_true", help="leave out what the progress file has")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="the deadline of each task")
    parser.add_argument("--keep", metavar="DIR", help="where runs, logs and progress.jsonl go")
    parser.add_argument(
        "--command",
        help="in the place of `swarm run`; {task}, {workspace}, {project}, {kind} and {seed} are filled in",
    )
    parser.add_argument(
        "--dry", action="store_true", help="print tasks and files of the open half, run nothing"
    )
    return parser.parse_args(words)


def _stop(signum: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signum)


if __name__ == "__main__":
    # Whoever ends this ends the run that is under way, which would go on for hours by itself.
    signal.signal(signal.SIGTERM, _stop)
    main()
