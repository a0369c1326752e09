"""Signals, sent to a real process that works as commands do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from swarm.cli.interrupts import INTERRUPTED

WORK = """
import asyncio, sys
from swarm.cli.follow import run_to_exit
from swarm.cli.interrupts import Interrupts

async def work(interrupts):
    print("at work", flush=True)
    try:
        if "wait" in sys.argv:
            print("asked to stop by", (await interrupts.wait()).name, flush=True)
            if "hang" in sys.argv:
                await asyncio.Event().wait()
            return 7
        await asyncio.Event().wait()
    finally:
        print("left", flush=True)

sys.exit(run_to_exit(work))
"""


def at_work(*how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, *how], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_there_is_a_run_calls_the_work_off(number: signal.Signals) -> None:
    with at_work() as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (out, err) == ("left\n", "swarm: stopped before anything was run\n")
    assert process.returncode == INTERRUPTED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_lets_a_run_end_by_itself(number: signal.Signals) -> None:
    with at_work("wait") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (out, err, process.returncode) == (f"asked to stop by {number.name}\nleft\n", "", 7)


def test_the_second_signal_ends_at_once() -> None:
    with at_work("wait", "hang") as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "asked to stop by SIGINT\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (out, process.returncode) == ("", INTERRUPTED)
    assert "stopped at once" in err


def test_a_clean_stop_that_hangs_ends_by_itself() -> None:
    with at_work("wait", "hang") as process:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)

    assert process.returncode == INTERRUPTED
    assert "took too long" in err


def test_a_closed_terminal_does_not_break_the_clean_stop() -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, "wait"], stdout=slave, stderr=slave, stdin=slave, start_new_session=True
    )
    os.close(slave)
    assert os.read(master, 100).startswith(b"at work")

    process.send_signal(signal.SIGHUP)

    assert process.wait(timeout=30) == 7
    os.close(master)
