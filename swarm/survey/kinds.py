"""What kind of file something is: by how its name ends, else by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from swarm.tabular.endings import BOOKS, DELIMITED, JSON, OTHERS, PAGES

PLAIN, LOG, MAIL, MAILBOX, PAGE, NOTE, DATA = "text", "log", "mail", "mailbox", "HTML", "Markdown", "JSON"
SECRETS = "environment"
"""A list of variables whose values are nobody's business, as in ``.env``."""
SETTINGS = "configuration"
PDF, DOCX = "PDF", "DOCX"
TABLE, DATABASE = "table", "database"
BINARY = "binary"
KEY = "key"
"""A key or certificate: never opened."""
DOCUMENTS = (PDF, DOCX)
"""Kinds that a library makes a text of, where it is installed."""

DATABASE_ENDINGS = (".db", ".db3", ".sqlite", ".sqlite3", ".duckdb", ".ddb")
TABLE_ENDINGS = (*DELIMITED, *JSON, *BOOKS, *OTHERS, *PAGES)
"""Those that are read, those that are told of, and pages that may hold tables."""

_TEXTS: Mapping[str, str] = {
    PLAIN: "txt text rst tex org adoc asciidoc rtf bib srt vtt ics vcf po pot diff patch readme",
    NOTE: "md markdown mdx",
    LOG: "log out err trace",
    MAIL: "eml",
    MAILBOX: "mbox",
    PAGE: "html htm xhtml",
    SETTINGS: (
        "ini cfg conf toml yaml yml properties env cnf editorconfig plist service timer socket desktop rules "
        "tf tfvars hcl lock reg json5 jsonc"
    ),
    "XML": "xml xsd xsl xslt rss atom kml gpx wsdl svg",
    "Python": "py pyi pyw",
    "notebook": "ipynb",
    "JavaScript": "js mjs cjs jsx",
    "TypeScript": "ts tsx mts cts",
    "web source": "css scss sass less vue svelte astro",
    "Java": "java",
    "Kotlin": "kt kts",
    "Scala": "scala sc",
    "Groovy": "groovy gradle",
    "C": "c h",
    "C++": "cc cpp cxx hh hpp hxx ino",
    "C#": "cs csx",
    "F#": "fs fsx fsi",
    "Visual Basic": "vb vbs bas",
    "Go": "go",
    "Rust": "rs",
    "Swift": "swift",
    "Objective-C": "m mm",
    "Ruby": "rb erb rake gemspec",
    "PHP": "php phtml",
    "Perl": "pl pm t",
    "Lua": "lua",
    "R": "r rmd",
    "Julia": "jl",
    "Haskell": "hs lhs",
    "OCaml": "ml mli",
    "Elixir": "ex exs",
    "Erlang": "erl hrl",
    "Clojure": "clj cljs cljc edn",
    "Lisp": "lisp el scm rkt",
    "Dart": "dart",
    "Zig": "zig",
    "Nim": "nim",
    "Fortran": "f f90 f95 for",
    "COBOL": "cob cbl cpy",
    "Pascal": "pas pp dpr",
    "Ada": "adb ads",
    "assembler": "asm s",
    "shell": "sh bash zsh fish ksh",
    "PowerShell": "ps1 psm1 psd1",
    "batch": "bat cmd",
    "SQL": "sql ddl dml",
    "GraphQL": "graphql gql",
    "interface": "proto thrift avsc",
    "build rules": "mk cmake bzl bazel",
    "template": "j2 jinja jinja2 tmpl tpl mustache hbs ejs liquid",
}
_OPAQUE: Mapping[str, str] = {
    "image": "png jpg jpeg gif bmp webp tif tiff ico heic avif psd raw xcf",
    "sound": "mp3 wav flac ogg m4a aac opus wma mid",
    "video": "mp4 mkv avi mov webm wmv mpg mpeg m4v flv",
    "archive": "zip tar gz tgz bz2 xz zst 7z rar jar war whl egg deb rpm iso dmg cab lz4",
    "font": "ttf otf woff woff2 eot",
    "program": "exe dll so dylib o a obj lib class pyc pyo wasm bin msi apk",
    "model": "gguf safetensors onnx pt pth h5 pkl pickle npy npz joblib",
    "office document": "doc ppt pptx odt odp pages numbers epub mobi",
    KEY: "pem key p12 pfx jks keystore kdbx ppk gpg asc crt cer",
    "Outlook mail": "msg pst ost",
}
_NAMES: Mapping[str, str] = {
    "makefile": "build rules",
    "gnumakefile": "build rules",
    "cmakelists.txt": "build rules",
    "dockerfile": "build rules",
    "containerfile": "build rules",
    "jenkinsfile": "build rules",
    "gemfile": "Ruby",
    "rakefile": "Ruby",
    "pipfile": SETTINGS,
    "procfile": SETTINGS,
    ".netrc": SECRETS,
    ".pgpass": SECRETS,
    ".npmrc": SECRETS,
    ".pypirc": SECRETS,
    ".htpasswd": SECRETS,
    ".git-credentials": SECRETS,
    **dict.fromkeys(("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"), KEY),
}
_ENVIRONMENT = re.compile(r"(?:.*[._-])?env(?:rc)?(?:[._-].*)?|secrets?(?:\..*)?|credentials?(?:\..*)?", re.I)
"""``.env``, ``.env.local``, ``prod.env``, ``.envrc``, ``env.sample``; ``secrets.yaml``."""
_NUMBERED = re.compile(r"\.\d[\d._-]*")
_OF_ENDING = {
    **{f".{ending}": kind for kind, endings in _TEXTS.items() for ending in endings.split()},
    **{f".{ending}": kind for kind, endings in _OPAQUE.items() for ending in endings.split()},
    ".pdf": PDF,
    ".docx": DOCX,
    **dict.fromkeys(DATABASE_ENDINGS, DATABASE),
    **dict.fromkeys((*DELIMITED, *BOOKS, *OTHERS, *JSON), TABLE),
}
TEXT_KINDS = frozenset({*_TEXTS, DATA, SECRETS})
TEXT_ENDINGS = tuple(sorted(ending for ending, kind in _OF_ENDING.items() if kind in _TEXTS))
SOURCES = TEXT_KINDS - {PLAIN, NOTE, LOG, MAIL, MAILBOX, PAGE, SETTINGS, "XML", DATA, SECRETS}
"""Kinds of source code."""
_MAGIC = (
    (b"%PDF-", PDF),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"PK\x03\x04", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3\0", DATABASE),
)
"""First bytes of some formats, as the standards of each say."""


def kind_by_name(path: str) -> str:
    """The kind that a name tells; empty where it tells none."""
    name = path.rpartition("/")[2].lower()
    if name in _NAMES:
        return _NAMES[name]
    known = _OF_ENDING.get(_suffix(name), "")
    if known in {"", SETTINGS} and _ENVIRONMENT.fullmatch(name):
        return SECRETS
    if name.endswith(OTHERS):
        return TABLE
    return known or _OF_ENDING.get(_before_number(name), "")


def kind_by_bytes(head: bytes) -> str:
    """The kind that the first bytes of a file tell; empty where they are of no format that is known."""
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def ending_of(path: str) -> str:
    """What files of one kind in a folder have in common, as a pattern of the end of a name: ``.md``,
    ``.log.[0-9]*``; empty for a name without ending."""
    name = path.rpartition("/")[2]
    suffix = _suffix(name)
    if suffix[1:2].isdigit() and _NUMBERED.fullmatch(suffix) and (before := _suffix(name[: -len(suffix)])):
        return f"{before}.[0-9]*"
    return suffix


def _suffix(name: str) -> str:
    """What stands behind the last dot of a name, as ``PurePath.suffix`` gives it."""
    at = name.rfind(".")
    return name[at:] if 0 < at < len(name) - 1 else ""


def _before_number(name: str) -> str:
    """The ending of a name that a number follows, as in ``app.log.1``."""
    found = re.fullmatch(r".+(\.\w+)\.\d[\d._-]*", name)
    return found[1].lower() if found else ""


def is_text(path: str) -> bool:
    """Whether a name tells that a file is a text."""
    return kind_by_name(path) in TEXT_KINDS


def is_shown(path: str) -> bool:
    """Whether a text may be put into a prompt because a step names it: all but lists of credentials."""
    return is_text(path) and kind_by_name(path) != SECRETS
