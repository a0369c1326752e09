"""Which system calls a confined program is denied, and why; the same on both ways but for what is marked."""

from __future__ import annotations

import errno
import socket
import stat
from collections.abc import Iterator

from swarm.sandbox.seccomp import OWN_PROCESS, Denial, Where

OTHER_PROCESSES = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp"),
    *("pidfd_getfd", "ioprio_set", "move_pages", "migrate_pages"),
)
MOUNTS = (
    *("mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "move_mount", "open_tree", "fsopen"),
    *("fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount"),
)
KERNEL = (
    *("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "kexec_load"),
    *("kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "query_module"),
    *("get_kernel_syms", "nfsservctl", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd"),
    *("syslog", "sethostname", "setdomainname", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
    *("iopl", "ioperm", "modify_ldt", "vhangup", "lookup_dcookie", "uselib", "ustat", "sysfs", "sysctl"),
)
BY_HANDLE = ("name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark")
SHARED_MEMORY = (
    *("shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop"),
    *("semctl", "mq_open", "mq_unlink", "memfd_create", "memfd_secret"),
)
"""Memory that no limit of a process counts, some of which outlives it."""
SPECIAL_FILES = ("mknod", "mknodat", "symlink", "symlinkat")
"""Whoever reads what was written later shall find files and folders alone: no pipe that blocks, no link out."""
SOCKETS = ("socket", "connect", "bind", "listen", "accept", "accept4")
NOT_THERE = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register")
"""Their arguments lie where a filter can't read them; libraries fall back where a call is not there."""

ATTRIBUTES = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "utime"),
    *("utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr"),
    *("lremovexattr", "fremovexattr"),
)
"""Landlock has no rule for these, so it would let them change files outside."""
WATCHING = ("inotify_init", "inotify_init1", "inotify_add_watch")
"""Nor for these, which tell what others do in folders outside."""
SIGNALS = ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal")
LEAVING = ("setsid", "setpgid")
"""The group is how a program is ended with all it started."""

_CLONE_THREAD, _CLONE_PARENT = 0x00010000, 0x00008000
_NAMESPACES = (0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_SOCKET_KIND = 0xF
_SET_ID = stat.S_ISUID | stat.S_ISGID
_TIOCSTI, _TIOCLINUX, _TIOCSETD = 0x5412, 0x541C, 0x5423
_FS_IOC_SETFLAGS, _FS_IOC_FSSETXATTR = 0x40086602, 0x401C5820
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
_F_SETOWN, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY = 8, 15, 1024, 1026
_PR_SET_PDEATHSIG = 1
_O_CREAT, _O_TRUNC, _O_ACCMODE = 0o100, 0o1000, 0o3
_READS_PERSONALITY = 0xFFFFFFFF
_ANOTHER = (Where(0, 0, is_equal=False), Where(0, OWN_PROCESS, is_equal=False))
"""The process is neither the caller (0) nor, by its id, the program itself."""


def in_namespaces(*, processes: int) -> list[Denial]:
    """What a program is denied that can neither name other processes nor outer files (bubblewrap)."""
    return [*_everywhere(), *_new_processes(processes)]


def beside_landlock(*, processes: int, abi: int) -> list[Denial]:
    """What a program is denied where Landlock alone confines it: the filter stands in for what that leaves.

    Landlock has a rule for truncation from its ABI 3 on, and one for signals from 6 on.
    """
    found = [*in_namespaces(processes=processes), *_without_namespaces()]
    if processes == 0 or abi < 6:
        found += _signals()
    if abi < 3:
        found += _truncation()
    return found


def _everywhere() -> Iterator[Denial]:
    groups = (OTHER_PROCESSES, MOUNTS, KERNEL, BY_HANDLE, SHARED_MEMORY, SPECIAL_FILES, SOCKETS)
    yield from (Denial(call) for group in groups for call in group)
    yield from (Denial(call, error=errno.ENOSYS) for call in NOT_THERE)
    # A pair of pipes that lead nowhere else: asyncio wakes its loop with one.
    yield Denial("socketpair", (Where(0, socket.AF_UNIX, is_equal=False),))
    yield Denial("socketpair", (Where(1, socket.SOCK_DGRAM, _SOCKET_KIND),))
    yield from (Denial("ioctl", (Where(1, command),)) for command in (_TIOCSTI, _TIOCLINUX, _TIOCSETD))
    # A lease holds up whoever opens the file.
    yield Denial("fcntl", (Where(1, _F_SETLEASE),))
    yield Denial("personality", (Where(0, 0, is_equal=False), Where(0, _READS_PERSONALITY, is_equal=False)))
    yield from (Denial("setpriority", (Where(argument, 0, is_equal=False),)) for argument in (0, 1))
    yield from _set_id_files()


def _set_id_files() -> Iterator[Denial]:
    """Files that run with the rights of their owner, which would work outside."""
    for bit in (stat.S_ISUID, stat.S_ISGID):
        for call, mode in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1)):
            yield Denial(call, (Where(mode, bit, bit),))
        yield Denial("open", (Where(1, _O_CREAT, _O_CREAT), Where(2, bit, bit)))
        yield Denial("openat", (Where(2, _O_CREAT, _O_CREAT), Where(3, bit, bit)))


def _new_processes(processes: int) -> Iterator[Denial]:
    yield from (Denial("clone", (Where(0, flag, flag),)) for flag in _NAMESPACES)
    if processes == 0:
        yield Denial("fork")
        yield Denial("vfork")
        yield Denial("clone", (Where(0, 0, _CLONE_THREAD),))


def _without_namespaces() -> Iterator[Denial]:
    yield from (Denial(call) for call in (*ATTRIBUTES, *WATCHING, *LEAVING))
    # Flags of a file, and to whom a file's signals go.
    for command in (_FS_IOC_SETFLAGS, _FS_IOC_FSSETXATTR, _FIOSETOWN, _SIOCSPGRP):
        yield Denial("ioctl", (Where(1, command),))
    for command in (_F_SETOWN, _F_SETOWN_EX, _F_NOTIFY):
        yield Denial("fcntl", (Where(1, command),))
    yield Denial("clone", (Where(0, _CLONE_PARENT, _CLONE_PARENT),))
    yield Denial("prctl", (Where(0, _PR_SET_PDEATHSIG),))
    for call in ("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"):
        yield Denial(call, (Where(0, 0, is_equal=False),))
    yield Denial("prlimit64", _ANOTHER)


def _signals() -> Iterator[Denial]:
    yield from (Denial(call) for call in SIGNALS)
    yield Denial("kill", _ANOTHER)
    yield Denial("tgkill", (Where(0, OWN_PROCESS, is_equal=False),))


def _truncation() -> Iterator[Denial]:
    yield Denial("truncate")
    yield Denial("open", (Where(1, _O_TRUNC, _O_TRUNC | _O_ACCMODE),))
    yield Denial("openat", (Where(2, _O_TRUNC, _O_TRUNC | _O_ACCMODE),))
