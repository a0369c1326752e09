"""Proves that the checkpointer does all that LangGraph asks of one: its own conformance suite."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

from langgraph.checkpoint.conformance import (  # pyright: ignore[reportMissingTypeStubs] - it has none
    checkpointer_test,
    validate,
)
from langgraph.checkpoint.conformance.capabilities import (  # pyright: ignore[reportMissingTypeStubs]
    BASE_CAPABILITIES,
    EXTENDED_CAPABILITIES,
    Capability,
)
from langgraph.checkpoint.conformance.report import (  # pyright: ignore[reportMissingTypeStubs]
    CapabilityReport,
)

from benchmarks.proof import Figure, Findings, Proof, prove
from swarm.store.rows.checkpoints import Saver
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord

PROOF = Proof(
    name="conformance",
    claim="The checkpointer passes LangGraph's checkpoint conformance suite, base and extended.",
    bar="every spec of every capability passes, none is skipped",
)


def measure() -> Findings:
    """The suite, each spec group on fresh files."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        report = asyncio.run(_report(Path(folder)))
    figures: dict[str, Figure] = {}
    faults: list[str] = []
    for name, capabilities in (("base", BASE_CAPABILITIES), ("extended", EXTENDED_CAPABILITIES)):
        passed, specs = _counted(report, sorted(capabilities, key=lambda one: one.value), faults)
        figures[f"{name} specs passed"] = f"{passed} of {specs}"
    details: list[dict[str, Figure]] = [
        {"capability": name, "specs passed": result.tests_passed, "failed": result.tests_failed}
        for name, result in report.results.items()
    ]
    return Findings(figures, faults, details)


def _counted(report: CapabilityReport, capabilities: list[Capability], faults: list[str]) -> tuple[int, int]:
    """Specs that passed and all there are; what failed goes into the faults."""
    passed = specs = 0
    for capability in capabilities:
        result = report.results.get(capability.value)
        if result is None or not result.detected or result.tests_skipped:
            faults.append(f"{capability.value}: specs were skipped")
            continue
        passed += result.tests_passed
        specs += result.tests_passed + result.tests_failed
        faults += [f"{capability.value}: {failure}" for failure in result.failures]
    return passed, specs


async def _report(folder: Path) -> CapabilityReport:
    numbers = itertools.count()

    @checkpointer_test(name="Saver")
    async def saver() -> AsyncGenerator[Saver]:
        record = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)
        async with Journal.open(folder / f"{next(numbers)}.db", record=record) as journal:
            yield journal.saver

    return await validate(saver)


if __name__ == "__main__":
    prove(PROOF, measure)
