"""Processes that resume one run at the same moment: a short form of the proof."""

from __future__ import annotations

from typing import cast

import pytest

from tests.run.conftest import Forked


@pytest.mark.timeout(300)
def test_of_processes_that_resume_a_run_at_once_one_goes_on_and_repeats_no_effect(forked: Forked) -> None:
    rows = cast("list[tuple[int, int, list[str]]]", forked("races", 3))

    assert [faults for _, _, faults in rows] == [[], [], []]
    assert all(refused == racers - 1 for racers, refused, _ in rows)
