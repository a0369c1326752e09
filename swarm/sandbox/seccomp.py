"""A seccomp filter as the kernel takes it: denials of system calls, assembled into classic BPF.

Layout of the data and meaning of the codes: linux/seccomp.h, linux/filter.h, linux/bpf_common.h.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from swarm.sandbox.syscalls import LAST, Processor

ALL_BITS = 0xFFFFFFFF
OWN_PROCESS = 0x7FFFFFFF
"""Stands for the id of the process that takes the filter; the stage puts it in. No process has it."""

_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER, _IF_AT_LEAST = 0x15, 0x25, 0x35
_ALLOW, _FAIL_WITH, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

_Code = list[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Where:
    """What an argument of a call must be for a denial to hold; its lower 32 bits are looked at."""

    argument: int
    value: int
    mask: int = ALL_BITS
    is_equal: bool = True
    """False: it must be anything but the value."""


@dataclass(frozen=True)
class Denial:
    """A system call that fails, or one that does where its arguments are all as said."""

    call: str
    where: tuple[Where, ...] = ()
    error: int = errno.EPERM


def assemble(denials: Iterable[Denial], processor: Processor) -> bytes:
    """The filter: what is denied fails, what is newer than the table is not there, the rest goes through."""
    by_number: dict[int, list[Denial]] = {}
    for denial in denials:
        if (number := processor.numbers.get(denial.call)) is not None:
            by_number.setdefault(number, []).append(denial)
    code = _head(processor)
    for number, same in sorted(by_number.items()):
        block = _block(same)
        code += [(_IF_EQUAL, 0, len(block), number), *block]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def _head(processor: Processor) -> _Code:
    code: _Code = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_IF_EQUAL, 1, 0, processor.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_GREATER, 0, 1, LAST),
        (_RETURN, 0, 0, _FAIL_WITH | errno.ENOSYS),
    ]
    return code


def _block(denials: list[Denial]) -> _Code:
    """What is done about one call: the first denial that holds, else it goes through."""
    code: _Code = []
    for denial in denials:
        code += _one(denial)
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _one(denial: Denial) -> _Code:
    tests = [_test(where) for where in denial.where]
    left = sum(len(test) + 1 for test in tests) + 1
    code: _Code = []
    for where, test in zip(denial.where, tests, strict=True):
        left -= len(test) + 1
        holds, fails = (0, left) if where.is_equal else (left, 0)
        code += [*test, (_IF_EQUAL, holds, fails, where.value)]
    return [*code, (_RETURN, 0, 0, _FAIL_WITH | denial.error)]


def _test(where: Where) -> _Code:
    load = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * where.argument)
    return [load] if where.mask == ALL_BITS else [load, (_AND, 0, 0, where.mask)]
