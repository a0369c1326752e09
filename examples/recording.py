"""Draws a recorded run as the terminal showed it: first in the middle of its work, then at its end.

python -m examples.recording RUN.db --out docs/run.svg
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from swarm.nouns.events import Event
from swarm.store.shelf.reader import read_events
from swarm.view.rows import live_rows, step_rows, usage_words
from swarm.view.state import RunState
from swarm.view.words import duration, one_line

WIDTH, HEIGHT = 110, 16


def main() -> None:
    """Writes the picture as SVG."""
    parser = argparse.ArgumentParser(prog="examples.recording", description=__doc__)
    parser.add_argument("run", type=Path, help="the file of a run that has ended")
    parser.add_argument("--out", type=Path, required=True, help="where the SVG goes")
    parser.add_argument("--at", type=float, default=0.5, help="the moment, as a share of the run's time")
    args = parser.parse_args()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    draw(read_events(args.run), args.at, console)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(without_addresses(console.export_svg(title="swarm run")), encoding="utf-8")


def without_addresses(svg: str) -> str:
    """The picture without the fonts that rich would have a browser fetch from elsewhere."""
    return re.sub(r',\s*url\("https://[^"]*"\) format\("\w+"\)', "", svg)


def draw(events: list[Event], share: float, console: Console) -> None:
    """Prints the two moments."""
    start, end = events[0].at, events[-1].at
    moment = start + share * (end - start)
    then, now = RunState(), RunState()
    for event in events:
        if event.at <= moment:
            then.apply(event)
        now.apply(event)
    for row in live_rows(then, now=moment, width=WIDTH, height=HEIGHT):
        console.print(row)
    console.print()
    for row in step_rows(now, width=WIDTH):
        console.print(row)
    if now.ended:
        words = f"{now.ended.status} in {duration(now.ended.seconds)} · {usage_words(now.ended.usage)}"
        console.print(Text(one_line(words, WIDTH), style="bold"))
        console.print()
        console.print(Text(now.ended.answer))


if __name__ == "__main__":
    main()
