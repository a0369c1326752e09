"""Files and lines as rows."""

from __future__ import annotations

import hashlib
from pathlib import Path

from swarm.formed.plain_lines import entry, lines


def test_lines_are_numbered_in_each_file() -> None:
    assert lines([("a", "x\n\ny"), ("b", "z\n")]) == [
        {"file": "a", "line": 1, "text": "x"},
        {"file": "a", "line": 2, "text": ""},
        {"file": "a", "line": 3, "text": "y"},
        {"file": "b", "line": 1, "text": "z"},
    ]


def test_a_file_has_its_folder_its_ending_and_its_digest(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"abc")

    assert entry("x/y/a.tar.gz", tmp_path / "a.tar.gz") == {
        "file": "x/y/a.tar.gz",
        "folder": "x/y",
        "name": "a.tar.gz",
        "ending": ".gz",
        "bytes": 3,
        "sha256": hashlib.sha256(b"abc").hexdigest(),
    }
    assert entry("a.tar.gz", tmp_path / "a.tar.gz")["folder"] == ""
