"""When an agent goes in circles."""

from __future__ import annotations

from swarm.agent.headway import MOST_IDLE, Progress
from swarm.nouns.tool import ToolCall


def test_the_same_call_is_counted_whatever_the_order_of_its_arguments() -> None:
    progress = Progress(())
    assert progress.times(ToolCall(tool="files.read", args={"path": "a", "start": 1})) == 1
    assert progress.times(ToolCall(tool="files.read", args={"start": 1, "path": "a"})) == 2
    assert progress.times(ToolCall(tool="files.read", args={"path": "b"})) == 1


def test_five_turns_without_anything_new_end_an_agent_and_it_is_told_one_before() -> None:
    progress = Progress(["the note"])
    said: list[tuple[bool, str]] = []
    for _ in range(MOST_IDLE):
        progress.hear("the note")
        said.append((bool(progress.nudge), progress.end))
    assert said == [(False, ""), (False, ""), (False, ""), (True, ""), (False, "no progress in 5 turns")]


def test_a_new_text_is_progress_even_an_error_and_a_correction_is_none() -> None:
    progress = Progress(())
    for turn in range(20):
        progress.idle()
        progress.idle()
        progress.hear(f"no such file: {turn}")
    assert progress.end == ""
