"""Runs proofs and assembles PROOFS.md from the last result of each.

``python -m benchmarks.proofs`` runs the short ones, ``… NAME`` those that are named, and
``… --assemble`` none.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import cast

from benchmarks.proof import RESULTS, ROOT, Report, last_result, python

SHORT = ("light_start", "barrier", "resume", "clean", "residency", "recovery", "context", "conformance")
ALL = (
    "newcomer",
    "small_model",
    "plans",
    "resume",
    "barrier",
    "width",
    "overhead",
    "cache",
    "overrun",
    "residency",
    "light_start",
    "clean",
    "recovery",
    "faults",
    "context",
    "truncation",
    "kills",
    "kills_again",
    "races",
    "clocks",
    "sigterm",
    "night",
    "soak",
    "growth",
    "tables",
    "typed_answers",
    "conformance",
    "tool_lists",
    "foreign_servers",
    "crash_points",
    "power_cuts",
    "full_disk",
    "corruption",
    "wrong_inputs",
    "sandbox",
    "program_kills",
    "graph_kills",
)
"""In the order of PROOFS.md; those that are not short take several minutes to hours each.

Those that ask a real model (``newcomer``, ``small_model``, ``plans``, ``night``, ``cache``, ``typed_answers``) use the
small embedded one, which is fetched once. ``foreign_servers`` needs Node, and the network for what it installs.
``full_disk`` needs Linux with ``unshare``.
"""

HEADLINES = {
    "newcomer": ("make demo", "make test"),
    "small_model": ("entirely right", "runs", "not right, and not said"),
    "plans": ("can run without the fallback", "cover the whole task"),
    "resume": ("kills", "recorded replies asked for again"),
    "barrier": ("makespan ÷ critical path, median",),
    "width": ("of them done", "wall ÷ ideal"),
    "overhead": ("ours ÷ LangGraph, 1 x 20 turns",),
    "overrun": ("8 slots: throughput, share of the best",),
    "residency": ("swaps", "swaps in order of arrival"),
    "light_start": ("CPU of `swarm --help` (s)",),
    "recovery": ("replies", "recovered", "calls invented"),
    "faults": ("calls", "ended within their deadline + 0.5 s"),
    "context": ("largest call (tokens)", "right answer"),
    "truncation": ("prompts that were cut", "of them raised in that call", "false alarms"),
    "kills": ("SIGKILLs",),
    "kills_again": ("SIGKILLs",),
    "races": ("races", "races with a fault"),
    "sigterm": ("SIGTERMs", "exit after, longest s"),
    "night": ("minutes", "SIGKILLs", "rows and answers right", "missing"),
    "soak": ("simulated hours, run with kills", "RSS drift"),
    "growth": ("turns", "file (MB)"),
    "tables": ("files", "files with a wrong cell", "ratio"),
    "typed_answers": ("typed answers", "right"),
    "tool_lists": ("published lists", "tools", "offered"),
    "foreign_servers": ("plain tasks done",),
    "crash_points": ("outcomes", "as documented"),
    "power_cuts": ("cuts", "of them lost"),
    "full_disk": ("runs", "runs with a fault"),
    "corruption": ("corruptions", "SILENT"),
    "wrong_inputs": ("wrong inputs", "one line, exit code 2"),
    "sandbox": ("root_bubblewrap_held", "root_landlock_held"),
    "program_kills": ("SIGKILLs", "runs with a fault"),
    "graph_kills": ("SIGKILLs", "runs with a fault"),
}
"""The figures of a proof that the index shows; of one that is not here, the first."""

RUN_BY_ALL = ("swarm", "agents", "tools", "mcp_servers")
"""Folders that every proof runs; beside them each has its own file or folder in benchmarks/."""

INTRODUCTION = """# Proofs

Each claim has a command that measures it, prints its figures and fails below its bar. The figures here are those of the last run of each, the whole of them on the page behind its name. *Age* counts the commits since that changed what the proof runs: 0 is of today's code, anything else is stale by so many. `make proofs` runs the short ones anew, `make proof NAME` any one.
"""


def main() -> None:
    """Runs the proofs asked for, one after the other, and exits with 1 when one failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.proofs", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*ALL, []], metavar="NAME", help=f"one of {', '.join(ALL)}"
    )
    parser.add_argument("--assemble", action="store_true", help="run nothing, only write PROOFS.md")
    args = parser.parse_args()
    names = [] if args.assemble else args.names or list(SHORT)
    failed = [
        name
        for name in names
        if subprocess.run(python("-m", f"benchmarks.{name}"), cwd=ROOT, check=False).returncode
    ]
    write()
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def write(folder: Path = RESULTS, index: Path = ROOT / "PROOFS.md") -> None:
    """Writes the index, and beside each result its page."""
    reports = [report for name in ALL if (report := last_result(name, folder))]
    for report in reports:
        page = folder / f"{_of(report, 'name')}.md"
        page.write_text(section(report), encoding="utf-8", newline="\n")
    index.write_text(assemble(folder), encoding="utf-8", newline="\n")


def assemble(folder: Path = RESULTS) -> str:
    """The text of PROOFS.md, from a folder of results.

    A result of a commit that the history has not proves nothing to anybody else: it is refused by name.
    """
    results = {name: last_result(name, folder) for name in ALL}
    ages = {name: age(report) for name, report in results.items() if report}
    rows = [_row(report, ages[name]) for name, report in results.items() if report and ages[name] is not None]
    heads = "| proof | claim | figure | bar | age | command |\n| --- | --- | --- | --- | ---: | --- |"
    parts = [INTRODUCTION, "\n".join([heads, *rows, ""])]
    refused = [name for name, number in ages.items() if number is None]
    if refused:
        names = ", ".join(f"`{name}`" for name in refused)
        parts.append(f"Refused, because their commit is not in the history: {names}.\n")
    unproved = [name for name, report in results.items() if report is None]
    if unproved:
        parts.append(f"Not measured yet: {', '.join(f'`{name}`' for name in unproved)}.\n")
    return "\n".join(parts)


def age(report: Report) -> int | None:
    """Commits since its own that changed what a proof runs; None where its commit is not in the history."""
    commit = _of(report, "commit").removesuffix("+")
    known = git("merge-base", "--is-ancestor", commit, "HEAD")
    if known.returncode:
        return None
    own = f"benchmarks/{_of(report, 'name')}"
    changed = git("rev-list", "--count", f"{commit}..HEAD", "--", *RUN_BY_ALL, f"{own}.py", own)
    return int(changed.stdout)


def git(*args: str) -> subprocess.CompletedProcess[str]:
    """What git says of this repository."""
    return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)


def _row(report: Report, number: int | None) -> str:
    name = _of(report, "name")
    figures = cast(dict[str, object], report["figures"])
    shown = HEADLINES.get(name, tuple(figures)[:1])
    figure = ", ".join(f"{one}: {figures[one]}" for one in shown if one in figures)
    verdict = "" if report["passed"] else "**failed**; "
    cells = (
        f"[{name}](benchmarks/results/{name}.md)",
        _of(report, "claim"),
        f"{verdict}{figure}",
        _of(report, "bar"),
        str(number),
        f"`{_of(report, 'command')}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def section(report: Report) -> str:
    """One proof as PROOFS.md shows it."""
    machine = cast(dict[str, object], report["machine"])
    figures = cast(dict[str, object], report["figures"])
    faults = cast(list[str], report["faults"])
    lines = [
        f"# {_of(report, 'name')}",
        "",
        f"{_of(report, 'claim')}",
        "",
        f"- command: `{_of(report, 'command')}`",
        f"- bar: {_of(report, 'bar')}",
        f"- verdict: {_verdict(report)}",
        *(f"- below the bar: {fault}" for fault in faults),
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}",
        f"- date: {_of(report, 'date')}, commit {_of(report, 'commit')}, {_of(report, 'seconds')} s",
        "",
        "| figure | value |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in figures.items()),
        "",
        *_details(cast(list[dict[str, object]], report["details"])),
    ]
    return "\n".join(lines)


def _details(rows: list[dict[str, object]]) -> list[str]:
    if not rows:
        return []
    heads = list(rows[0])
    table = [" | ".join(str(row.get(head, "")) for head in heads) for row in rows]
    return [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *(f"| {line} |" for line in table), ""]


def _verdict(report: Report) -> str:
    return "passed" if report["passed"] else "**failed**"


def _of(report: Report, key: str) -> str:
    return str(report[key])


if __name__ == "__main__":
    main()
