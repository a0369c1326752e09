"""How a fault is written and which requests meet it."""

from __future__ import annotations

import pytest

from swarm.errors import ProjectError
from swarm.testing.double.faults import Fault, parse_fault


@pytest.mark.parametrize(
    ("spelling", "fault"),
    [
        ("hang", Fault("hang")),
        ("429:2@0.5", Fault("429", times=2, seconds=0.5)),
        ("half-json:10%", Fault("half-json", share=0.1)),
        ("restart:1+5@30", Fault("restart", times=1, after=5, seconds=30)),
    ],
)
def test_a_fault_is_read_from_its_spelling(spelling: str, fault: Fault) -> None:
    assert parse_fault(spelling) == fault


@pytest.mark.parametrize("spelling", ["", "fire", "429:x", "hang:5%:2", "hang@soon"])
def test_another_spelling_is_refused_with_the_kinds_there_are(spelling: str) -> None:
    with pytest.raises(ProjectError, match=r"no such fault: .* KIND one of 500, 429"):
        parse_fault(spelling)


def test_it_is_met_by_the_requests_it_names_and_by_no_other() -> None:
    assert [Fault("cut", times=2, after=1).meets(number) for number in range(1, 6)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    met = [Fault("cut", share=0.25, seed=7).meets(number) for number in range(1, 1_001)]
    assert 200 < sum(met) < 300
    assert met == [Fault("cut", share=0.25, seed=7).meets(number) for number in range(1, 1_001)]
