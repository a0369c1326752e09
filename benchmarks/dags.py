"""Random plans with random latencies: how long each must take at least, and how long in waves."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

MEDIAN_SECONDS = 0.2
SIGMA = 1.0
"""Of the logarithm: one latency in ten is above 0.7 s, one in a hundred above 2 s."""
CAP_SECONDS = 4.0
SMALLEST, LARGEST = 20, 60


@dataclass(frozen=True)
class Dag:
    """Steps by number, those each one needs, and the seconds each one takes."""

    needs: tuple[tuple[int, ...], ...]
    """Only steps with a smaller number."""
    seconds: tuple[float, ...]

    @cached_property
    def critical_path(self) -> float:
        """Seconds of the longest chain: no order of work can be quicker."""
        ends: list[float] = []
        for needs, seconds in zip(self.needs, self.seconds, strict=True):
            ends.append(seconds + max((ends[need] for need in needs), default=0.0))
        return max(ends)

    @cached_property
    def waves(self) -> float:
        """Seconds when all steps of one depth wait for the slowest of the depth before."""
        depths: list[int] = []
        for needs in self.needs:
            depths.append(1 + max((depths[need] for need in needs), default=0))
        slowest = dict.fromkeys(depths, 0.0)
        for depth, seconds in zip(depths, self.seconds, strict=True):
            slowest[depth] = max(slowest[depth], seconds)
        return sum(slowest.values())


def random_dag(seed: int) -> Dag:
    """The plan of a seed: 20 to 60 steps, each needing up to three of the dozen before it."""
    chance = random.Random(seed)
    size = chance.randint(SMALLEST, LARGEST)
    needs = tuple(_needs(chance, number) for number in range(size))
    return Dag(needs, tuple(_latency(chance) for _ in range(size)))


def _needs(chance: random.Random, number: int) -> tuple[int, ...]:
    near = range(max(0, number - 12), number)
    return tuple(sorted(chance.sample(near, min(len(near), chance.choice((0, 1, 1, 2, 2, 3))))))


def _latency(chance: random.Random) -> float:
    return min(CAP_SECONDS, MEDIAN_SECONDS * chance.lognormvariate(0.0, SIGMA))
