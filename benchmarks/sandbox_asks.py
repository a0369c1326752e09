"""Runs inside the sandbox: asks for one thing after the other in its plainest form, and says what came of it.

It is given to ``python -c`` as text, so it imports the standard library alone. Nothing here does harm
where it is granted: signals are 0, magic numbers are wrong, what is opened is not written.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

Ask = Callable[[], object]
TARGETS: dict[str, str] = {}
NUMBERS: dict[str, int] = {}
_libc = ctypes.CDLL(None, use_errno=True)


class NotThere(Exception):
    """The thing asked for is not on this processor."""


def raw(name: str, *arguments: int | bytes | None) -> int:
    """A system call by its name."""
    if name not in NUMBERS:
        raise NotThere(name)
    given = [ctypes.c_long(part) if isinstance(part, int) else part for part in arguments]
    done = int(_libc.syscall(ctypes.c_long(NUMBERS[name]), *given))
    if done == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return done


def send(family: int, kind: int, address: object, protocol: int = 0) -> None:
    with socket.socket(family, kind, protocol) as opened:
        if kind == socket.SOCK_STREAM or family == getattr(socket, "AF_VSOCK", -1):
            opened.settimeout(2)
            opened.connect(cast(tuple[str, int], address))
        else:
            opened.sendto(b"x", cast(tuple[str, int], address))


def listen() -> None:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()


def pair_out(path: str) -> None:
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with first, second:
        first.sendto(b"x", path)


def network() -> dict[str, Ask]:
    tcp, udp = int(TARGETS["tcp"]), int(TARGETS["udp"])
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    return {
        "TCP over IPv4": lambda: send(socket.AF_INET, stream, ("127.0.0.1", tcp)),
        "TCP over IPv6": lambda: send(socket.AF_INET6, stream, ("::1", tcp)),
        "UDP over IPv4": lambda: send(socket.AF_INET, datagram, ("127.0.0.1", udp)),
        "UDP over IPv6": lambda: send(socket.AF_INET6, datagram, ("::1", udp)),
        "raw IPv4": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "raw IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
        "ping socket": lambda: socket.socket(socket.AF_INET, datagram, socket.IPPROTO_ICMP),
        "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
        "vsock": lambda: send(socket.AF_VSOCK, stream, (2, 1)),
        "kernel crypto socket": lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
        "listening on TCP": listen,
        "UNIX socket outside": lambda: send(socket.AF_UNIX, stream, TARGETS["socket_outside"]),
        "UNIX socket in a readable folder": lambda: send(socket.AF_UNIX, stream, TARGETS["socket_inside"]),
        "abstract UNIX socket": lambda: send(socket.AF_UNIX, stream, TARGETS["abstract"].encode()),
        "UNIX datagram from a pair": lambda: pair_out(TARGETS["socket_inside"]),
    }


def names_in(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def append(path: str) -> None:
    with Path(path).open("ab"):
        pass


def through_link(target: str) -> bytes:
    link = Path("link")
    link.symlink_to(target)
    return link.read_bytes()


def own(name: str) -> str:
    Path(name).write_bytes(b"x")
    return name


def list_home() -> None:
    """What is there but for the folders that lead to this Python and to what is readable."""
    if names_in(TARGETS["home"]) <= set(json.loads(TARGETS["leads"])):
        raise FileNotFoundError(errno.ENOENT, "nothing of the user's")


def files() -> dict[str, Ask]:
    secret, folder = TARGETS["secret"], str(Path(TARGETS["secret"]).parent)
    shown = TARGETS["shown"]
    return {
        "reading outside": lambda: read(secret),
        "reading outside by a way up": lambda: read(os.path.relpath(secret)),
        "reading a file of /etc": lambda: read("/etc/passwd"),
        "listing outside": lambda: names_in(folder),
        "listing the user's folder": list_home,
        "writing outside": lambda: append(secret),
        "making a file outside": lambda: append(f"{folder}/made"),
        "making a folder outside": lambda: Path(f"{folder}/made").mkdir(),
        "removing outside": lambda: Path(secret).unlink(),
        "moving in": lambda: Path(secret).rename("moved"),
        "moving out": lambda: Path(own("mine")).rename(f"{folder}/moved"),
        "linking in": lambda: os.link(secret, "linked"),
        "linking a readable file in": lambda: os.link(shown, "linked"),
        "linking out": lambda: os.link(own("mine"), f"{folder}/linked"),
        "symbolic link to the outside": lambda: through_link(secret),
        "changing a readable file": lambda: append(shown),
        "truncating a readable file": lambda: os.truncate(shown, 0),
        "truncating as it is opened": lambda: os.open(shown, os.O_RDONLY | os.O_TRUNC),
        "removing a readable file": lambda: Path(shown).unlink(),
        "mode of a file outside": lambda: Path(secret).chmod(0o600),
        "mode of a readable file": lambda: Path(shown).chmod(0o600),
        "times of a file outside": lambda: os.utime(secret, (1, 1)),
        "times of a readable file": lambda: os.utime(shown, (1, 1)),
        "attribute of a readable file": lambda: os.setxattr(shown, "user.x", b"x"),
        "owner of a readable file": lambda: os.chown(shown, os.getuid(), os.getgid()),
        "set-user-id on a file": lambda: Path(own("mine")).chmod(0o4755),
        "file made with set-user-id": lambda: os.open("other", os.O_CREAT | os.O_WRONLY, 0o4755),
        "named pipe": lambda: os.mkfifo("pipe"),
        "device file": lambda: os.mknod("null", 0o020666, os.makedev(1, 3)),
        "lease on a file": lambda: fcntl.fcntl(os.open(own("mine"), os.O_RDONLY), fcntl.F_SETLEASE, 0),
        "handle of a file": lambda: raw("name_to_handle_at", -100, secret.encode(), None, None, 0),
    }


def system_files() -> dict[str, Ask]:
    victim = TARGETS["victim"]
    return {
        "environment of process 1 outside": first_environment,
        "environment of another process": lambda: read(f"/proc/{victim}/environ"),
        "memory of another process": lambda: os.open(f"/proc/{victim}/mem", os.O_RDONLY),
        "root of another process": lambda: names_in(f"/proc/{victim}/root"),
        "files of another process": lambda: names_in(f"/proc/{victim}/fd"),
        "/sys": lambda: names_in("/sys/kernel"),
        "/sys for writing": lambda: os.open("/sys/power/state", os.O_WRONLY),
        "/dev/mem": lambda: os.open("/dev/mem", os.O_RDONLY),
        "/dev/kmsg": lambda: os.open("/dev/kmsg", os.O_RDONLY),
        "/proc/kcore": lambda: os.open("/proc/kcore", os.O_RDONLY),
        "a disk": lambda: os.open(TARGETS["disk"], os.O_RDONLY),
        "sysctl for writing": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
        "sysrq": lambda: os.open("/proc/sysrq-trigger", os.O_WRONLY),
        "control groups for writing": lambda: os.open("/sys/fs/cgroup/cgroup.procs", os.O_WRONLY),
    }


def first_environment() -> None:
    """Of process 1, which in a namespace of its own has nothing but what the program was given."""
    names = {line.partition(b"=")[0] for line in read("/proc/1/environ").split(b"\0") if line}
    if names <= set(os.environb):
        raise FileNotFoundError(errno.ENOENT, "not the one outside")


def own_fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def signals_to(pid: int) -> None:
    reads, _ = os.pipe()
    fcntl.fcntl(reads, fcntl.F_SETOWN, pid)


def processes() -> dict[str, Ask]:
    victim, parent = int(TARGETS["victim"]), int(TARGETS["parent"])
    zero = bytes(64)
    return {
        "signal to another process": lambda: os.kill(victim, 0),
        "signal to the parent": lambda: os.kill(parent, 0),
        "signal to the parent's group": lambda: os.killpg(os.getpgid(parent), 0),
        "signal to all": lambda: os.kill(-1, 0),
        "signal to a thread": lambda: raw("tgkill", victim, victim, 0),
        "queued signal": lambda: raw("rt_sigqueueinfo", victim, 0, zero + zero),
        "handle of another process": lambda: os.pidfd_open(victim),
        "signals of a file to another process": lambda: signals_to(victim),
        "ptrace": lambda: raw("ptrace", 0x4206, victim, 0, 0),
        "reading memory of a process": lambda: raw("process_vm_readv", victim, zero, 0, zero, 0, 0),
        "writing memory of a process": lambda: raw("process_vm_writev", victim, zero, 0, zero, 0, 0),
        "priority of another process": lambda: os.setpriority(os.PRIO_PROCESS, victim, 5),
        "priority of the user": lambda: os.setpriority(os.PRIO_USER, 0, 5),
        "processors of another process": lambda: os.sched_setaffinity(victim, {0}),
        "scheduler of another process": lambda: raw("sched_setscheduler", victim, 3, zero),
        "limits of another process": lambda: resource.prlimit(victim, resource.RLIMIT_CORE, (0, 0)),
        "disk priority of another process": lambda: raw("ioprio_set", 1, victim, 0x4007),
        "comparing processes": lambda: raw("kcmp", parent, victim, 0, 0, 0),
        "new process": own_fork,
        "new process by vfork": lambda: raw("clone", 0x4000 | 17, 0, 0, 0, 0) or os._exit(0),
        "new user namespace": lambda: raw("unshare", 0x10000000),
        "new network namespace": lambda: raw("unshare", 0x40000000),
        "process in a new user namespace": lambda: raw("clone", 0x10000000 | 17, 0, 0, 0, 0) or os._exit(0),
        "clone3": lambda: raw("clone3", zero, 0),
        "higher limit of files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)),
        "higher limit of memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
        "another user": lambda: os.setresuid(1, 1, 1),
        "another group": lambda: os.setgroups([0]),
    }


def kernel() -> dict[str, Ask]:
    zero = bytes(128)
    here = b"/tmp"
    return {
        "mount": lambda: raw("mount", b"none", here, b"tmpfs", 0, None),
        "umount": lambda: raw("umount2", b"/nowhere", 0),
        "move_mount": lambda: raw("move_mount", -1, b"", -1, b"", 0),
        "open_tree": lambda: raw("open_tree", -100, b"/", 0),
        "fsopen": lambda: raw("fsopen", b"tmpfs", 0),
        "pivot_root": lambda: raw("pivot_root", here, here),
        "chroot": lambda: os.chroot("/"),
        "setns": lambda: raw("setns", 0, 0),
        "bpf": lambda: raw("bpf", 0, zero, 48),
        "perf_event_open": lambda: raw("perf_event_open", zero, 0, -1, -1, 0),
        "keyctl": lambda: raw("keyctl", 0, -3, 0),
        "add_key": lambda: raw("add_key", b"user", b"probe", b"x", 1, -2),
        "userfaultfd": lambda: raw("userfaultfd", 1),
        "io_uring": lambda: raw("io_uring_setup", 1, zero),
        "kexec": lambda: raw("kexec_load", 0, 0, None, 0xFFFF),
        "loading a module": lambda: raw("init_module", b"", 0, b""),
        "removing a module": lambda: raw("delete_module", b"no_such_module", 0o4000),
        "reboot": lambda: raw("reboot", 0, 0, 0, None),
        "swapon": lambda: raw("swapon", b"/nowhere", 0),
        "process accounting": lambda: raw("acct", b"/nowhere/file"),
        "quotas": lambda: raw("quotactl", 0, None, 0, None),
        "kernel log": lambda: raw("syslog", 10, None, 0),
        "name of the machine": lambda: socket.sethostname(socket.gethostname()),
        "setting the clock": lambda: raw("clock_settime", 99, zero),
        "I/O ports": lambda: raw("iopl", 0),
        "personality": lambda: raw("personality", 0x0040000),
        "memory without a name": lambda: os.memfd_create("probe"),
        "shared memory": lambda: raw("shmget", 0, 4096, 0o1600),
        "message queue": lambda: raw("msgget", 0, 0o1600),
        "semaphores": lambda: raw("semget", 0, 1, 0o1600),
        "POSIX message queue": lambda: raw("mq_open", b"probe", 0o102, 0o600, None),
        "watching all files": lambda: raw("fanotify_init", 0, 0),
        "typing into a terminal": lambda: fcntl.ioctl(0, 0x5412, b"x"),
        "a call newer than the table": lambda: _libc_call(4000),
    }


def _libc_call(number: int) -> int:
    NUMBERS["newer"] = number
    return raw("newer")


def capabilities() -> str:
    data = ctypes.create_string_buffer(24)
    _libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), data)
    return data.raw.hex()


def state() -> dict[str, object]:
    """What it is given, to be judged outside."""
    return {
        "capabilities": capabilities(),
        "no new privileges": _libc.prctl(39, 0, 0, 0, 0),
        "filtered": _libc.prctl(21, 0, 0, 0, 0),
        "environment": sorted(os.environ),
        "descriptors": [fd for fd in range(256) if _is_open(fd)],
    }


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def outcome(ask: Ask) -> str:
    """The error's name where it was refused, else that it was granted."""
    try:
        ask()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, f"{error}")
    except ValueError as error:  # what setrlimit makes of EPERM
        return "EPERM" if "not allowed" in f"{error}" else f"{error}"
    except NotThere:
        return "not there"
    return "granted"


def main() -> None:
    given = json.loads(sys.argv[1])
    TARGETS.update(given["targets"])
    NUMBERS.update(given["numbers"])
    before = state()
    groups = (network(), files(), system_files(), processes(), kernel())
    found = {name: outcome(ask) for group in groups for name, ask in group.items()}
    print(json.dumps({"state": before, "asked": found}))


if __name__ == "__main__":
    main()
