"""Confines the process it runs in, then becomes the program: the start on the way of Landlock.

It is run as text (``python -I -S -c``), so it imports nothing of this package; and little else, as json
alone would double the time it takes. What it is to do comes marshalled in its first argument, the
program's arguments follow. What goes wrong is written to the file descriptor ``report``, which closes
by itself once the program runs.

The calls are those of linux/landlock.h, linux/seccomp.h and linux/prctl.h.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import struct
import sys

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITIES_VERSION = 0x20080522
_SIGKILL = 9

_libc = ctypes.CDLL(None, use_errno=True)


def _call(what: str, *arguments: object) -> int:
    """One function of the C library; numbers go as long."""
    given = [ctypes.c_long(part) if isinstance(part, int) else part for part in arguments[1:]]
    done = int(getattr(_libc, str(arguments[0]))(*given))
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return done


def _landlock(handled: list[int], rules: list[tuple[str, int]]) -> None:
    """Denies what is handled, but for what the rules give beneath a path."""
    words = struct.pack(f"={len(handled)}Q", *handled)
    ruleset = _call("landlock", "syscall", _CREATE_RULESET, words, len(words), 0)
    for path, rights in rules:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, opened)
        _call(f"landlock for {path!r}", "syscall", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        os.close(opened)
    _call("landlock", "syscall", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _seccomp(filter_code: bytes) -> None:
    lines = ctypes.create_string_buffer(filter_code)
    program = struct.pack("@HP", len(filter_code) // 8, ctypes.addressof(lines))
    _call("seccomp", "prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0)


def _own_process(filter_code: bytes, mark: int) -> bytes:
    """The filter with the id of this process where the mark stands."""
    lines = [list(line) for line in struct.iter_unpack("=HBBI", filter_code)]
    own = os.getpid()
    return b"".join(struct.pack("=HBBI", *line[:3], own if line[3] == mark else line[3]) for line in lines)


def _drop_capabilities() -> None:
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    _call("dropping capabilities", "capset", header, bytes(24))


def main() -> None:
    """Takes on the walls in the order in which each still lets the next be raised."""
    order = marshal.loads(bytes.fromhex(sys.argv[1]))
    os.set_inheritable(order["report"], False)
    try:
        _call("the signal at the end of its parent", "prctl", _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        if os.getppid() != order["parent"]:
            raise OSError(0, "the process that started it is gone")
        _drop_capabilities()
        _call("no new privileges", "prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _landlock(order["handled"], order["rules"])
        for which, values in order["limits"]:
            resource.setrlimit(which, tuple(values))
        _seccomp(_own_process(order["filter"], order["mark"]))
        os.execve(sys.argv[2], sys.argv[2:], dict(os.environ))
    except (OSError, ValueError, MemoryError) as error:
        os.write(order["report"], f"{error}".encode())
        os._exit(126)


if __name__ == "__main__":
    main()
