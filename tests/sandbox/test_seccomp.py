"""The filter, run here instruction by instruction, for processors other than this one too."""

from __future__ import annotations

import errno
import platform
import re
import struct
from pathlib import Path

import pytest

from swarm.sandbox.denials import beside_landlock, in_namespaces
from swarm.sandbox.seccomp import OWN_PROCESS, assemble
from swarm.sandbox.syscalls import LAST, PROCESSORS, Processor

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
HEADERS = {"x86_64": ("x86_64-linux-gnu/asm/unistd_64.h", 1), "aarch64": ("asm-generic/unistd.h", 2)}
CLONE_THREAD, SIGCHLD = 0x10000, 17


def decide(code: bytes, processor: int, number: int, *arguments: int) -> int:
    """What the filter decides about a call: classic BPF, as much of it as is used."""
    data = struct.pack("=IIQ6Q", number, processor, 0, *arguments, *[0] * (6 - len(arguments)))
    lines = list(struct.iter_unpack("=HBBI", code))
    accumulator = at = 0
    while True:
        operation, holds, fails, value = lines[at]
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x06:
            return int(value)
        else:
            tests = {0x15: accumulator == value, 0x25: accumulator > value}
            at += holds if tests[operation] else fails


def answers(processor: Processor, code: bytes, call: str, *arguments: int) -> int:
    """The error of a call, 0 where it goes through."""
    decided = decide(code, processor.audit, processor.numbers[call], *arguments)
    return 0 if decided == ALLOWED else decided & 0xFFFF


@pytest.fixture(params=list(PROCESSORS))
def processor(request: pytest.FixtureRequest) -> Processor:
    return PROCESSORS[request.param]


def test_calls_without_conditions_fail_and_those_not_named_go_through(processor: Processor) -> None:
    code = assemble(in_namespaces(processes=0), processor)

    assert {answers(processor, code, call) for call in ("ptrace", "mount", "bpf", "socket")} == {errno.EPERM}
    assert answers(processor, code, "clone3") == errno.ENOSYS
    unnamed = next(number for number in range(400) if number not in processor.numbers.values())
    assert decide(code, processor.audit, unnamed) == ALLOWED


def test_calls_newer_than_the_table_are_not_there_and_other_processors_are_killed(
    processor: Processor,
) -> None:
    code = assemble([], processor)

    assert decide(code, processor.audit, LAST) == ALLOWED
    assert decide(code, processor.audit, LAST + 1) & 0xFFFF == errno.ENOSYS
    assert decide(code, processor.audit, 0x40000000 | 1) & 0xFFFF == errno.ENOSYS
    assert decide(code, 0x40000003, 1) == KILLED


def test_threads_start_and_processes_do_where_they_may(processor: Processor) -> None:
    alone = assemble(in_namespaces(processes=0), processor)
    several = assemble(in_namespaces(processes=4), processor)

    assert answers(processor, alone, "clone", CLONE_THREAD | 0x3D0F00) == 0
    assert answers(processor, alone, "clone", SIGCHLD) == errno.EPERM
    assert answers(processor, several, "clone", SIGCHLD) == 0
    assert answers(processor, several, "clone", 0x10000000 | SIGCHLD) == errno.EPERM


def test_only_a_pair_of_connected_sockets_is_made(processor: Processor) -> None:
    code = assemble(in_namespaces(processes=0), processor)
    nonblocking = 0o4000 | 0o2000000

    assert answers(processor, code, "socketpair", 1, 1 | nonblocking) == 0
    assert answers(processor, code, "socketpair", 1, 2 | nonblocking) == errno.EPERM
    assert answers(processor, code, "socketpair", 2, 1) == errno.EPERM


def test_beside_landlock_only_the_program_itself_is_signalled(processor: Processor) -> None:
    code = assemble(beside_landlock(processes=0, abi=7), processor)

    assert [answers(processor, code, "kill", pid, 15) for pid in (0, OWN_PROCESS)] == [0, 0]
    assert [answers(processor, code, "kill", pid, 15) for pid in (1, 0xFFFFFFFF)] == [errno.EPERM] * 2


def test_children_are_signalled_where_landlock_keeps_signals_in(processor: Processor) -> None:
    scoped = assemble(beside_landlock(processes=4, abi=6), processor)
    older = assemble(beside_landlock(processes=4, abi=5), processor)

    assert answers(processor, scoped, "kill", 1234, 15) == 0
    assert answers(processor, older, "kill", 1234, 15) == errno.EPERM


def test_a_file_is_truncated_on_older_landlocks_only_by_who_may_write_it(processor: Processor) -> None:
    older = assemble(beside_landlock(processes=0, abi=2), processor)
    truncates, writes = 0o1000, 0o1

    assert answers(processor, older, "openat", 0, 0, truncates) == errno.EPERM
    assert answers(processor, older, "openat", 0, 0, truncates | writes) == 0
    assert answers(processor, older, "truncate") == errno.EPERM


def test_upper_halves_of_arguments_change_nothing(processor: Processor) -> None:
    code = assemble(beside_landlock(processes=0, abi=7), processor)

    assert answers(processor, code, "kill", (0xDEAD << 32) | 1, 15) == errno.EPERM
    assert answers(processor, code, "kill", 0xDEAD << 32, 15) == 0


def test_every_jump_stays_within_a_byte_and_the_filter_within_its_bound(processor: Processor) -> None:
    code = assemble(beside_landlock(processes=0, abi=1), processor)

    assert len(code) // 8 < 4096


@pytest.mark.parametrize("name", list(PROCESSORS))
def test_the_numbers_are_those_of_the_kernels_headers(name: str) -> None:
    place, _ = HEADERS[name]
    header = Path("/usr/include") / place
    if not header.exists():
        pytest.skip(f"no {header} on this {platform.machine()}; Debian has it in linux-libc-dev")
    text = header.read_text(encoding="utf-8")
    known = {
        call.lstrip("_"): int(number)
        for call, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)
    }

    wrong = {
        call: (number, known[call])
        for call, number in PROCESSORS[name].numbers.items()
        if call in known and known[call] != number
    }

    assert wrong == {}
    assert len(known.keys() & PROCESSORS[name].numbers.keys()) > 90
