"""What is secret in the description of a server, and texts in which it stands as ``***``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import JsonValue

MASK = "***"
KEY_NAME = re.compile(r"key|token|secret|pass|pwd|auth|credential|bearer|dsn", re.IGNORECASE)
"""How variables and options are called that hold a key or a password."""
SHORTEST = 4
"""Letters of the shortest value that is hidden; hiding shorter ones would leave no text readable."""
PLAIN = frozenset({"true", "false", "null", "none", "bearer", "basic", "token"})
"""Words that stand in such values and are no secret."""
USER_INFO = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)


def shown_url(url: str) -> str:
    """An address without what may be secret in it: no query, no fragment, no name and password."""
    return USER_INFO.sub(r"\1", re.split(r"[?#]", url, maxsplit=1)[0])


def url_secrets(url: str) -> list[str]:
    """The values in an address that are not shown: of its query and its fragment, its name and password."""
    parts = urlsplit(url)
    pairs = [pair.partition("=") for pair in re.split(r"[&;]", parts.query)]
    values = [value if equals else name for name, equals, value in pairs]
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return [unquote(value) for value in [*values, parts.fragment, user, password] if value]


def shown_args(args: Sequence[str]) -> list[str]:
    """Arguments as a person may be shown them: no key, and no address with what is secret in one."""
    return [hidden(shown_url(arg) if "://" in arg else arg, args_secrets(args)) for arg in args]


def args_secrets(args: Sequence[str]) -> list[str]:
    """The keys and passwords that stand among arguments themselves; a variable that is named is none."""
    found = [secret for arg in args if "://" in arg for secret in url_secrets(arg)]
    for before, arg in zip(["", *args], args, strict=False):
        name, equals, value = arg.partition("=")
        if equals and KEY_NAME.search(name) and "://" not in name:
            found.append(value)
        elif (
            before.startswith("-")
            and "=" not in before
            and KEY_NAME.search(before)
            and not arg.startswith("-")
        ):
            found.append(arg)
    return [secret for secret in found if secret and "${" not in secret]


def secrets_in(values: Iterable[str]) -> tuple[str, ...]:
    """What is to be hidden of these values, longest first: each as a whole, its words, and how it is spelled
    in an address and in JSON. An existing path, a plain word and what is very short are not."""
    found: set[str] = set()
    for value in values:
        for part in {value.strip(), *value.split()}:
            if _is_secret(part):
                found |= {part, quote(part), quote(part, safe=""), json.dumps(part)[1:-1], repr(part)[1:-1]}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text with ``***`` in place of each secret."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def hidden_in(data: JsonValue, secrets: Sequence[str]) -> JsonValue:
    """JSON with ``***`` in place of each secret, in its texts and its keys."""
    if isinstance(data, str):
        return hidden(data, secrets)
    if isinstance(data, list):
        return [hidden_in(part, secrets) for part in data]
    if isinstance(data, dict):
        return {hidden(key, secrets): hidden_in(part, secrets) for key, part in data.items()}
    return data


def _is_secret(value: str) -> bool:
    if len(value) < SHORTEST or value.lower() in PLAIN:
        return False
    try:
        return not (value.startswith("/") and Path(value).exists())
    except (OSError, ValueError):  # too long or with a NUL: no path of this machine
        return True


def bare(url: str) -> str:
    """An address as a request is logged with it: whole but for its query, name and password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
