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
)
"""In the order of PROOFS.md; those that are not short take several minutes to hours each.

Those that ask a real model (``newcomer``, ``small_model``, ``plans``, ``night``, ``cache``, ``typed_answers``) use the
small embedded one, which is fetched once. ``foreign_servers`` needs Node, and the network for what it installs.
``full_disk`` needs Linux with ``unshare``.
"""

INTRODUCTION = """# Proofs

Each claim has a command that measures it, prints its figures and fails below its bar. The figures here are those of the last run of each; `make proofs` runs the short ones anew, `make proof NAME` any one. A `+` after a commit means that files had been changed since.
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
    (ROOT / "PROOFS.md").write_text(assemble(), encoding="utf-8", newline="\n")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def assemble(folder: Path = RESULTS) -> str:
    """The text of PROOFS.md, from a folder of results."""
    results = {name: last_result(name, folder) for name in ALL}
    reports = [report for report in results.values() if report]
    unproved = [name for name, report in results.items() if report is None]
    parts = [INTRODUCTION, _overview(reports), *(section(report) for report in reports)]
    if unproved:
        parts.append(f"Not measured yet: {', '.join(f'`{name}`' for name in unproved)}.\n")
    return "\n".join(parts)


def _overview(reports: list[Report]) -> str:
    rows = [
        f"| [{_of(report, 'name')}](#{_of(report, 'name')}) | {_verdict(report)} | {_of(report, 'date')} |"
        for report in reports
    ]
    return "\n".join(["| proof | verdict | date |", "| --- | --- | --- |", *rows, ""])


def section(report: Report) -> str:
    """One proof as PROOFS.md shows it."""
    machine = cast(dict[str, object], report["machine"])
    figures = cast(dict[str, object], report["figures"])
    faults = cast(list[str], report["faults"])
    lines = [
        f"## {_of(report, 'name')}",
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
