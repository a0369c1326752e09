"""How fast a scripted server computes: tokens a second, alone or shared by the requests it works on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

TICK_SECONDS = 0.05
"""How often what is written is passed on, and who shares the computer with whom is looked at."""


@dataclass
class Pace:
    """The speeds of a server and how many requests use it now."""

    prefill: float = 0.0
    """Prompt tokens a second; 0 takes no time."""
    decode: float | tuple[float, ...] = 0.0
    """Tokens a second that a slot writes; 0 takes no time. Several numbers are what all slots write
    together when 1, 2, … of them work: they share one computer, for prompts as well."""
    prefilling: int = 0
    working: int = 0

    async def compute(self, tokens: int) -> None:
        """Takes the time that computing so much of a prompt takes."""
        if not self.prefill or not tokens:
            return
        self.prefilling += 1
        try:
            async for _ in _paced(tokens, self._of_prompts, is_shared=isinstance(self.decode, tuple)):
                pass
        finally:
            self.prefilling -= 1

    def write(self, tokens: int) -> AsyncGenerator[int]:
        """How many of the tokens are written so far, as time goes on."""
        return _paced(tokens, self._of_a_slot, is_shared=True)

    def _of_prompts(self) -> float:
        return self.prefill / max(1, self.prefilling) if isinstance(self.decode, tuple) else self.prefill

    def _of_a_slot(self) -> float:
        if not isinstance(self.decode, tuple):
            return self.decode
        together = self.decode[min(self.working, len(self.decode)) - 1]
        return together / max(1, self.working)


async def _paced(tokens: int, speed: Callable[[], float], *, is_shared: bool) -> AsyncGenerator[int]:
    clock = asyncio.get_running_loop().time
    done, due = 0.0, clock()
    while done < tokens:
        now = speed()
        step = min(tokens - done, now * TICK_SECONDS) if is_shared else tokens - done
        done, due = done + step, due + step / now
        # Against the clock, so that late wake-ups do not add up.
        await asyncio.sleep(due - clock())
        yield round(done)
