"""Runs killed by SIGKILL at random moments and resumed to the end: a short form of the proofs."""

from __future__ import annotations

from typing import cast

import pytest

from tests.run.conftest import Forked

pytestmark = pytest.mark.timeout(300)


def test_a_run_that_is_killed_while_it_comes_into_being_keeps_its_given_plan(forked: Forked) -> None:
    assert forked("first_commits", 4) == [[True, "done"]] * 4


@pytest.mark.parametrize(("trials", "kills"), [(6, 1), (1, 3)])
def test_a_killed_run_goes_on_where_it_was_and_repeats_no_effect(
    forked: Forked, trials: int, kills: int
) -> None:
    rows = cast("list[list[object]]", forked("kills", trials, kills))

    assert [row for row in rows if row[1] or row[2]] == []
    assert [row[0] for row in rows].count(kills) >= trials
