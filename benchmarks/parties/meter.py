"""What every party of the overhead proof shares: its arguments, its turns' marks and its report."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.scripts.turns_server import MODEL, TOOL

SERVER = Path(__file__).parent / "lines.py"
TASK = "Read all the lines, one a turn."
SYSTEM = f"You read lines with {TOOL}, one a turn, until there is none left. Then you say so."


@dataclass
class Meter:
    """CPU of this process, in seconds, and its memory."""

    marks: list[float] = field(default_factory=list[float])
    """CPU spent when each model call began."""
    began: float = 0.0
    ended: float = 0.0
    memory_began: float = 0.0

    def begin(self) -> None:
        """Start to measure: all libraries are loaded and the tool server runs."""
        self.began, self.memory_began = time.process_time(), peak_mb()

    def mark(self) -> None:
        """A model call begins."""
        self.marks.append(time.process_time())

    def end(self) -> None:
        """The last reply is there."""
        self.ended = time.process_time()

    def report(self) -> None:
        """Prints what was measured as one line of JSON."""
        print(
            json.dumps({
                "cpu": self.ended - self.began,
                "marks": self.marks,
                "memory": peak_mb() - self.memory_began,
            })
        )


def peak_mb() -> float:
    """The most memory this process has used; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


@dataclass(frozen=True)
class Job:
    """What a party is asked to do."""

    url: str
    agents: int
    turns: int

    @classmethod
    def asked(cls) -> Job:
        """From the command line: URL AGENTS TURNS."""
        return cls(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))


__all__ = ["MODEL", "SERVER", "SYSTEM", "TASK", "TOOL", "Job", "Meter"]
