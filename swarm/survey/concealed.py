"""What a prompt must not hold of a file's first lines: values that look like credentials, put as ``***``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from swarm.project.secrecy import KEY_NAME, MASK, PLAIN, SHORTEST, url_secrets

_TOKENS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?"
    r"|\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}"
    r"|\bxox[abeoprs]-[\w-]{10,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{20,}|\bpypi-[\w-]{20,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}|\$(?:2[aby]|argon2\w+|[156])\$[^\s\"',;]{12,}",
    re.DOTALL,
)
"""How the tokens of well-known services begin, private keys (RFC 7468), JSON Web Tokens (RFC 7519) and hashed
passwords (crypt(5))."""
_HEADER = re.compile(r"(\b(?:bearer|basic|token)\s+)([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>`]+", re.IGNORECASE)
_LONG = re.compile(
    r"(?<!sha256[:-])(?<!sha384[:-])(?<!sha512[:-])(?<!sha1[:-])(?<![\w+/=.-])[A-Za-z0-9+/_=-]{24,}(?![\w+/=-])"
)
_NAME = r"(?P<name>[\w.$-]*)"
_ASSIGNED = re.compile(
    rf"(?P<head>(?P<mark>[\"'`]?){_NAME}(?P=mark)\s*(?:=>|:=|[=:])\s*)"
    r"(?P<value>\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?|`[^`\n]*`?|[^\s\"'`,;#&<>][^\n,;#&<>]*)"
)
_TAGGED = re.compile(r"(<(?P<name>[\w.:-]+)(?:\s[^<>]*)?>)([^<>]+)(?=</)")
_LINE = re.compile(
    r"^(?P<head>\s*(?:export\s+|set(?:env)?\s+)?(?P<name>[\w.-]+)\s*[=:\s]\s*)(?P<value>\S.*)$"
)
_NUMBER = re.compile(r"[-+]?\d{1,6}(?:\.\d+)?%?")
_REFERENCE = re.compile(r"\$\{?\w+\}?|\{\{.*\}\}|<[\w -]+>|%\w+%")
"""A value that stands for another one: ``${NAME}``, ``{{ name }}``, ``<your key>``."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STRONG = frozenset([
    "secret",
    "secrets",
    "passwd",
    "password",
    "passwords",
    "passphrase",
    "passcode",
    "pwd",
    "authorization",
    "credential",
    "credentials",
    "bearer",
    "dsn",
    "apikey",
    "apitoken",
    "authtoken",
    "accesskey",
    "secretkey",
    "privatekey",
    "accesstoken",
    "otp",
    "jwt",
])
_WEAK = frozenset([
    "key",
    "keys",
    "token",
    "tokens",
    "pass",
    "auth",
    "pin",
    "cookie",
    "session",
    "signature",
    "salt",
    "pat",
])
"""Words that name a credential in a longer name, as in ``api_key``, and alone may be anything."""
_PARTS = ("password", "passwd", "secret", "apikey", "api_key", "credential", "private_key")
_ABOUT = frozenset([
    "id",
    "name",
    "file",
    "path",
    "url",
    "type",
    "kind",
    "count",
    "length",
    "size",
    "ttl",
    "limit",
    "max",
    "min",
])
"""Last words of a name of something about a credential: ``token_count``, ``key_file``."""


@dataclass
class Concealer:
    """Hides values and counts them."""

    hidden: int = 0

    def listed(self, text: str) -> str:
        """The names of a list of variables; each value is hidden, whatever it looks like."""
        kept: list[str] = []
        for line in text.splitlines():
            found = _LINE.match(line)
            if not line.strip() or line.lstrip().startswith(("#", ";", "//", "[", "---")):
                kept.append(self.text(line))
            elif found:
                self.hidden += 1
                kept.append(f"{found['head']}{MASK}")
            elif line.rstrip().endswith((":", "=", "{", "[")):
                kept.append(line)
            else:
                self.hidden += 1
                kept.append(MASK)
        return "\n".join(kept)

    def text(self, text: str, *, is_source: bool = False) -> str:
        """A text without what looks like a credential in it. In source code a value is a text in quotes:
        what stands there without is an expression."""
        text = _TOKENS.sub(self._whole, text)
        text = _HEADER.sub(self._after_word, text)
        text = _URL.sub(self._in_address, text)
        text = _ASSIGNED.sub(self._assigned(is_source=is_source), text)
        text = _TAGGED.sub(self._tagged, text)
        return _LONG.sub(self._random, text)

    def cell(self, column: str, value: object) -> str:
        """A cell of a table as it may be shown."""
        text = str(value)
        is_named = is_secret_name(column) and column.lower() not in _WEAK
        if is_named and _is_secret_value(text):
            self.hidden += 1
            return MASK
        return self.text(text)

    def _mask(self, text: str) -> str:
        self.hidden += 1
        return text.replace(text, MASK)

    def _whole(self, found: re.Match[str]) -> str:
        return self._mask(found[0])

    def _after_word(self, found: re.Match[str]) -> str:
        return (
            f"{found[1]}{self._mask(found[2])}" if _is_random(found[2], 8) or len(found[2]) > 20 else found[0]
        )

    def _in_address(self, found: re.Match[str]) -> str:
        address = found[0]
        try:
            secrets = url_secrets(address)
        except ValueError:  # No address after all, as http://[.
            return address
        user, at, rest = address.partition("@")
        if at and "/" not in user.partition("://")[2]:
            self.hidden += 1
            address = f"{user.partition('://')[0]}://{MASK}@{rest}"
        for secret in secrets:
            if len(secret) >= SHORTEST and secret in address and _is_random(secret, 12):
                address = address.replace(secret, self._mask(secret))
        return address

    def _assigned(self, *, is_source: bool) -> Callable[[re.Match[str]], str]:
        def put(found: re.Match[str]) -> str:
            value = found["value"]
            quote = value[0] if value[:1] in "\"'`" else ""
            if (is_source and not quote) or not is_secret_name(found["name"], value):
                return found[0]
            inner = value[1:].removesuffix(quote) if quote else value.rstrip()
            if not _is_secret_value(inner):
                return found[0]
            self.hidden += 1
            end = value[len(value.rstrip()) :] if not quote else ""
            return f"{found['head']}{quote}{MASK}{quote}{end}"

        return put

    def _tagged(self, found: re.Match[str]) -> str:
        if is_secret_name(found["name"]) and _is_secret_value(found[3].strip()):
            return f"{found[1]}{self._mask(found[3])}"
        return found[0]

    def _random(self, found: re.Match[str]) -> str:
        return self._mask(found[0]) if _is_random(found[0], 20) else found[0]


def is_secret_name(name: str, value: str = "") -> bool:
    """Whether something of that name holds a credential: one of its words says so, ``DB_PASS``, ``apiKey``;
    ``author`` and ``passengers`` do not. A word like ``key`` alone does where the value is one piece."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or words[0] in {"max", "min", "num", "n"}:
        return False
    if any(word in _STRONG for word in words):
        return True
    if any(word in _WEAK for word in words):
        return len(words) > 1 or " " not in value.strip()
    return bool(KEY_NAME.search(name)) and any(part in name.lower() for part in _PARTS)


def _is_secret_value(value: str) -> bool:
    value = value.strip()
    if len(value) < SHORTEST or value.lower() in PLAIN or MASK in value or value[0] in "{[(":
        return False
    return not (_NUMBER.fullmatch(value) or _REFERENCE.fullmatch(value))


def _is_random(text: str, shortest: int) -> bool:
    """Whether letters and digits are mixed as in a key, in a piece without signs: no word, path, date, name of
    a function or UUID."""
    piece = max(re.split(r"[^A-Za-z0-9]+", text), key=len)
    changes = len(re.findall(r"(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d", piece))
    return len(piece) >= shortest and changes >= 3
