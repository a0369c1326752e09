"""Lines of access logs."""

from __future__ import annotations

from swarm.formed.access import access_of

TIME = "[09/Sep/2026:05:00:05 +0200]"


def test_a_line_of_the_combined_format_is_taken_apart() -> None:
    line = f'1.2.3.4 - bob {TIME} "GET /a?b=1 HTTP/1.1" 200 12 "http://r/" "M \\"x\\" 5" 0.12'

    assert access_of(line) == {
        "date": "2026-09-09",
        "time": "05:00:05",
        "hour": 5,
        "zone": "+0200",
        "host": "1.2.3.4",
        "user": "bob",
        "method": "GET",
        "path": "/a?b=1",
        "status": 200,
        "bytes": 12,
        "referrer": "http://r/",
        "agent": 'M "x" 5',
        "text": "0.12",
    }


def test_a_request_that_is_none_and_a_virtual_host_are_kept_as_text() -> None:
    row = access_of(f'shop:80 ::1 - - {TIME} "\\x16\\x03" 400 -')

    assert row is not None
    assert (row["host"], row["method"], row["bytes"], row["text"]) == ("::1", None, 0, 'shop:80 "\\x16\\x03"')


def test_what_is_no_such_line_is_none() -> None:
    assert access_of("") is None
    assert access_of('1.2.3.4 - - [now] "GET / HTTP/1.1" 200 1') is None
    assert access_of(f'1.2.3.4 - - {TIME} "GET {"/a " * 10_000}') is None
