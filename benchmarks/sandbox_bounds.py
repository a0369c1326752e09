"""Programs that use up one thing each, and what must come of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from swarm.sandbox.confinement import MIB, Confinement

SMALL = Confinement(
    memory_bytes=256 * MIB,
    cpu_seconds=20,
    file_bytes=16 * MIB,
    disk_bytes=32 * MIB,
    temporary_bytes=16 * MIB,
    files=200,
    threads=16,
    open_files=32,
)
"""Small enough that each bound is met within a second or two."""


@dataclass(frozen=True)
class Excess:
    """A program that asks for more and more, until it is refused or ended."""

    name: str
    code: str
    says: str = ""
    """How its output must begin, where it is refused."""
    reason: str = ""
    """How the reason of its end must begin, where it is ended."""
    confinement: Confinement = SMALL
    ways: tuple[str, ...] = ("bubblewrap", "landlock")


EXCESSES = (
    Excess("memory in one piece", "bytearray(1 << 30)", says="MemoryError"),
    Excess(
        "memory in many pieces", "kept = []\nwhile True: kept.append(bytearray(1 << 20))", says="MemoryError"
    ),
    Excess("memory mapped", "import mmap\nmmap.mmap(-1, 1 << 30)", says="OSError"),
    Excess(
        "shared memory",
        "import mmap\nkept = []\nwhile True: kept.append(mmap.mmap(-1, 1 << 20)); kept[-1].write(bytes(1 << 20))",
        says="OSError",
    ),
    Excess("one large file", "open('a', 'wb').write(bytes(64 << 20))", says="OSError: EFBIG"),
    Excess("a sparse file", "open('a', 'wb').truncate(1 << 40)", says="OSError: EFBIG"),
    Excess(
        "many files",
        "n = 0\nwhile True: n += 1; open(str(n), 'wb').write(bytes(4 << 20))",
        reason="it wrote more than",
    ),
    Excess(
        "files without a name",
        "import os\nkept = []\nwhile True:\n f = open('a', 'wb', 0); os.unlink('a'); kept.append(f)\n"
        " for _ in range(8): f.write(bytes(1 << 20))\n if len(kept) > 20: input()",
        reason="it wrote more than",
    ),
    Excess(
        "empty files",
        "n = 0\nwhile True: n += 1; open(str(n), 'wb').close()",
        reason="it made more than",
    ),
    Excess(
        "folders",
        "import os\nn = 0\nwhile True: n += 1; os.mkdir(str(n))",
        reason="it made more than",
    ),
    Excess(
        "folders in folders",
        "import os\nwhile True: os.mkdir('d' * 200); os.chdir('d' * 200)",
        reason="it made",
    ),
    Excess(
        "temporary files in memory",
        "import os\nn = 0\nwhile True: n += 1; open(f\"{os.environ['TMPDIR']}/{n}\", 'wb').write(bytes(1 << 20))",
        says="OSError: ENOSPC",
        ways=("bubblewrap",),
    ),
    Excess(
        "temporary files on the disk",
        "import os\nn = 0\nwhile True: n += 1; open(f\"{os.environ['TMPDIR']}/{n}\", 'wb').write(bytes(1 << 20))",
        reason="it wrote more than",
        ways=("landlock",),
    ),
    Excess("files in shared memory", "open('/dev/shm/a', 'wb').write(bytes(64 << 20))", says="OSError"),
    Excess("files in /dev", "open('/dev/a', 'wb').write(bytes(64 << 20))", says="OSError"),
    Excess("files in the root", "open('/a', 'wb').write(bytes(64 << 20))", says="OSError"),
    Excess("open files", "kept = []\nwhile True: kept.append(open('/dev/null'))", says="OSError: EMFILE"),
    Excess("processes", "import os\nwhile True: os.fork()", says="OSError: EPERM"),
    Excess(
        "processes beyond the bound",
        "import os, signal\nwhile True:\n if os.fork() == 0: signal.pause()",
        says="OSError: EAGAIN",
        reason="it had more than",
        confinement=replace(SMALL, processes=8),
    ),
    Excess(
        "processes that leave their group",
        "import os, signal\nwhile True:\n if os.fork() == 0:\n  try: os.setsid()\n  except OSError: pass\n  signal.pause()",
        says="OSError: EAGAIN",
        reason="it had more than",
        confinement=replace(SMALL, processes=8),
    ),
    Excess(
        "threads",
        "import threading\nwhile True: threading.Thread(target=threading.Event().wait, daemon=True).start()",
        says="RuntimeError",
        reason="it had more than",
    ),
    Excess(
        "threads with small stacks",
        "import threading\nthreading.stack_size(64 << 10)\n"
        "while True: threading.Thread(target=threading.Event().wait, daemon=True).start()",
        says="RuntimeError",
        reason="it had more than",
    ),
    Excess(
        "CPU time", "while True: pass", reason="it used more than", confinement=replace(SMALL, cpu_seconds=1)
    ),
    Excess(
        "CPU time, its signal ignored",
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        reason="it was killed",
        confinement=replace(SMALL, cpu_seconds=1),
    ),
)

WRAPPED = """
import errno, os, sys
try:
    exec(compile({code!r}, "excess", "exec"))
except BaseException as error:
    name = f"OSError: {{errno.errorcode.get(error.errno)}}" if isinstance(error, OSError) else type(error).__name__
    os.write(1, f"{{name}}\\n".encode())
    os._exit(3)
"""
"""Says which error ended it, for which a full memory still has room."""
