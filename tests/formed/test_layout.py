"""Where the entries of a log have their level and their source, told by all of them."""

from __future__ import annotations

import pytest

from swarm.formed.layout import entry_of, layout_of
from swarm.formed.stamp import stamp_of

At = tuple[object, object, object, object]
LOGS: dict[str, tuple[list[str], list[At]]] = {
    "log4j": (
        ["INFO  [main] com.x.Y - started", "ERROR [http-1] com.x.Z - died - x"],
        [("INFO", "com.x.Y", "main", "started"), ("ERROR", "com.x.Z", "http-1", "died - x")],
    ),
    "logback": (
        ["[main] INFO  com.x.Y - a", "[main] WARN com.x.Z - b"],
        [("INFO", "com.x.Y", "main", "a"), ("WARN", "com.x.Z", "main", "b")],
    ),
    "spring": (
        [
            " INFO 12 --- [           main] c.e.My      : Started",
            " WARN 12 --- [app] [nio-1] c.e.My : Slow: x",
        ],
        [("INFO", "c.e.My", "main", "Started"), ("WARN", "c.e.My", "nio-1", "Slow: x")],
    ),
    "python": (
        ["- app.db - ERROR - a - b", "- app - INFO - ok: 5"],
        [("ERROR", "app.db", None, "a - b"), ("INFO", "app", None, "ok: 5")],
    ),
    "brackets": (
        ["[INFO] app: hi", "[WARNING] app: hi"],
        [("INFO", "app", None, "hi"), ("WARNING", "app", None, "hi")],
    ),
    "zap": (
        ["\tinfo\tmain.go:12\thi", "\terror\tmain.go:13\tbye"],
        [("INFO", "main.go:12", None, "hi"), ("ERROR", "main.go:13", None, "bye")],
    ),
    "containers": (
        ["stdout F INFO x", "stderr F panic: x"],
        [("INFO", "stdout", None, "x"), ("PANIC", "stderr", None, "x")],
    ),
    "nginx": (
        ["[error] 1#1: *4 open", "[notice] 1#1: start"],
        [("ERROR", None, None, "1#1: *4 open"), ("NOTICE", None, None, "1#1: start")],
    ),
    "apache": (
        ["[core:error] [pid 1] a", "[error] [pid 2] b"],
        [("ERROR", "core", None, "a"), ("ERROR", "pid 2", None, "b")],
    ),
    "celery": (
        ["INFO/Main] ready", "ERROR/Fork-1] x"],
        [("INFO", "Main", None, "ready"), ("ERROR", "Fork-1", None, "x")],
    ),
    "gunicorn": (
        ["[12] [INFO] a", "[13] [ERROR] b"],
        [("INFO", None, None, "a"), ("ERROR", None, None, "b")],
    ),
    "nlog": (
        ["|INFO|Name.Space|a", "|WARN|Name.Space|b"],
        [("INFO", "Name.Space", None, "a"), ("WARN", "Name.Space", None, "b")],
    ),
    "loguru": (
        ["| INFO     | mod:fn:12 - a", "| ERROR    | mod:fn:12 - b - c"],
        [("INFO", "mod:fn:12", None, "a"), ("ERROR", "mod:fn:12", None, "b - c")],
    ),
    "logfmt": (
        ["level=info msg=a", "level=error msg=b"],
        [("INFO", None, None, "level=info msg=a"), ("ERROR", None, None, "level=error msg=b")],
    ),
    "syslog": (
        ["web sshd[12]: error: no", "web kernel: Error in usb", "web cron[3]: info was here"],
        [
            ("ERROR", "sshd", None, "no"),
            (None, "kernel", None, "Error in usb"),
            (None, "cron", None, "info was here"),
        ],
    ),
    "names": (["pool: 12 min", "gym: 3 min"], [(None, "pool", None, "12 min"), (None, "gym", None, "3 min")]),
    "prose": (
        ["Found no ERROR in it", "disk is Critical now", "Total: 5", "-5 degrees"],
        [
            (None, None, None, "Found no ERROR in it"),
            (None, None, None, "disk is Critical now"),
            (None, None, None, "Total: 5"),
            (None, None, None, "-5 degrees"),
        ],
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_levels_and_sources_are_those_of_the_form_and_not_words_of_a_sentence(name: str) -> None:
    lines, wanted = LOGS[name]
    stamps = [stamp for line in lines if (stamp := stamp_of(f"2026-09-09 05:00:05.123 {line}"))]
    layout = layout_of(stamps)

    found = [entry_of(stamp, layout) for stamp in stamps]

    assert [(row["level"], row["source"], row.get("thread"), row["text"]) for row in found] == wanted


def test_a_program_of_syslog_is_told_from_its_host_and_its_process() -> None:
    lines = ["Sep  9 05:00:05 web sshd[12]: hi", "Sep  9 05:00:06 web last message repeated 2 times"]
    stamps = [stamp for line in lines if (stamp := stamp_of(line))]
    first, second = (entry_of(stamp, layout_of(stamps[:1])) for stamp in stamps)

    assert (first["host"], first["source"], first["pid"], first["text"]) == ("web", "sshd", 12, "hi")
    assert (second["source"], second["text"]) == (None, "web last message repeated 2 times")


def test_rfc_5424_names_host_program_and_process() -> None:
    stamp = stamp_of('<165>1 2026-09-09T05:00:05.003Z host app 77 ID47 [ex@1 a="b"] An event')
    assert stamp is not None

    row = entry_of(stamp, layout_of([stamp]))

    assert (row["host"], row["source"], row["pid"]) == ("host", "app", 77)
    assert row["text"] == 'ID47 [ex@1 a="b"] An event'
