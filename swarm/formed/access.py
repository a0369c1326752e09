"""Lines of the access logs of web servers: the Common and the Combined Log Format."""

from __future__ import annotations

import re
from datetime import datetime

from swarm.formed.row import Row

MOST_CHARACTERS = 32_768
"""Of a line: web servers take requests and headers of 8 KiB each."""
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
_LINE = re.compile(
    r"(?:(?P<vhost>[\w.-]+:\d+) )?(?P<host>[\w.:%-]+) \S++ (?P<user>[^\[\"]{1,200}) \[(?P<time>[^\]]{20,40})\] "
    rf"(?P<request>{_QUOTED}) (?P<status>\d{{3}}) (?P<bytes>\d+|-)(?: (?P<referrer>{_QUOTED}) (?P<agent>{_QUOTED}))?(?P<rest>.*)$"
)
_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<path>\S++)")


def access_of(line: str) -> Row | None:
    """The row of a line of an access log; None where it is none."""
    found = _LINE.match(line) if len(line) <= MOST_CHARACTERS else None
    if found is None:
        return None
    try:
        moment = datetime.strptime(found["time"], "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return None
    request = _REQUEST.match(found["request"][1:-1])
    return {
        "date": moment.date().isoformat(),
        "time": f"{moment:%H:%M:%S}",
        "hour": moment.hour,
        "zone": found["time"].rpartition(" ")[2],
        "host": found["host"],
        "user": _said(found["user"]),
        "method": request["method"] if request else None,
        "path": request["path"] if request else None,
        "status": int(found["status"]),
        # A hyphen is no bytes at all (Apache's %b).
        "bytes": int(found["bytes"]) if found["bytes"] != "-" else 0,
        "referrer": _said(found["referrer"]),
        "agent": _said(found["agent"]),
        "text": _text(found, has_request=request is not None),
    }


def _text(found: re.Match[str], *, has_request: bool) -> str | None:
    """What the other columns do not hold: a request that is none, the virtual host, fields at the end."""
    parts = [found["vhost"], None if has_request else found["request"], found["rest"].strip()]
    return " ".join(filter(None, parts)) or None


def _said(text: str | None) -> str | None:
    text = (text or "").removeprefix('"').removesuffix('"').replace('\\"', '"')
    return None if text in {"", "-"} else text
