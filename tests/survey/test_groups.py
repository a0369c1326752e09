"""What a look at a workspace tells of each kind of file, in which order, and what it hides and leaves out."""

from __future__ import annotations

import os
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from swarm.survey.groups import FileGroup, Look, look_at

TEXTS: dict[str, tuple[str, str, str]] = {
    "a.py": ("Python", "import os\n", "import os"),
    "b.rs": ("Rust", "fn main() {}\n", "fn main() {}"),
    "c.unheard": ("text", "plain words\n", "plain words"),
    "settings.toml": ("configuration", "[server]\nport = 80\n", "[server]"),
    "app.yaml": ("configuration", "replicas: 2\n", "replicas: 2"),
    "app.log": ("log", "12:00 started\n", "12:00 started"),
    "page.html": ("HTML", "<title>Prices</title><script>x()</script><p>From <b>5</b> euros", "Prices"),
    "notes.md": ("Markdown", "# Notes\n", "# Notes"),
    "LICENSE": ("text", "All rights\n", "All rights"),
    "Makefile": ("build rules", "all:\n", "all:"),
    "tree.xml": ("XML", "<a/>\n", "<a/>"),
    "config.json": ("JSON", '{"port": 80}\n', '{"port": 80}'),
    "q.sql": ("SQL", "SELECT 1;\n", "SELECT 1;"),
}


def group_of(look: Look, path: str) -> FileGroup:
    return next(group for group in look.groups if group.pattern == path)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_each_kind_is_told_of_with_its_first_line(tmp_path: Path, name: str) -> None:
    kind, content, first = TEXTS[name]
    (tmp_path / name).write_text(content, encoding="utf-8")

    (group,) = look_at(tmp_path).groups

    assert (group.pattern, group.kind, group.lines[0]) == (name, kind, first)
    assert group.is_text
    assert group.size_bytes == len(content)


def test_a_mail_and_a_mailbox_show_who_wrote_what(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ana@example.org", "bo@example.org", "Grüße"
    mail.set_content("The kettle is here.\n", cte="quoted-printable")
    mail.add_attachment(b"\0\1", maintype="image", subtype="png", filename="k.png")
    (tmp_path / "a.eml").write_bytes(bytes(mail))
    (tmp_path / "b.mbox").write_bytes(
        b"From ana Mon\n" + bytes(mail) + b"\nFrom bo Tue\nSubject: second\n\nno"
    )

    look = look_at(tmp_path)

    told = ("From: ana@example.org", "To: bo@example.org", "Subject: Grüße", "The kettle is here.")
    assert group_of(look, "a.eml").lines == told
    assert group_of(look, "b.mbox").lines == told


def test_what_is_no_text_is_counted_by_kind_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "b.unheard").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "c.dat").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "id_rsa").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("x", "y")

    look = look_at(tmp_path)

    assert look.groups == ()
    assert look.opaque == {"archive": 1, "binary": 1, "image": 2, "key": 1}


def test_documents_are_listed_with_the_reason_that_they_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "b.docx").write_bytes(b"PK\3\4")

    look = look_at(tmp_path)

    assert [group.kind for group in look.groups] == ["PDF", "DOCX"]
    assert len(look.unread) == 2
    for name, line in zip(("a.pdf", "b.docx"), look.unread, strict=True):
        assert line.startswith(f"{name}: ")


def test_values_of_a_list_of_variables_are_hidden_and_counted(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# local\nHOST=db.example.org\nexport API_KEY='sk-abc'\n\n", encoding="utf-8"
    )

    (group,) = look_at(tmp_path).groups

    assert group.lines == ("# local", "HOST=***", "export API_KEY=***")
    assert (group.hidden, group.is_hidden, group.kind) == (2, True, "environment")


def test_files_of_one_kind_in_one_folder_are_one_group_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/2.md", "b/1.md", "a/x.txt", "b/z.py", "top.md", "b/c/1.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n", encoding="utf-8")

    groups = look_at(tmp_path).groups

    assert [(group.pattern, group.files, group.lines) for group in groups] == [
        ("a/x.txt", 1, ("a/x.txt",)),
        ("b/*.md", 2, ("b/1.md",)),
        ("b/c/1.md", 1, ("b/c/1.md",)),
        ("b/z.py", 1, ("b/z.py",)),
        ("top.md", 1, ("top.md",)),
    ]


def test_folders_of_packages_and_hidden_ones_are_not_looked_into(tmp_path: Path) -> None:
    for name in (
        "node_modules/a/x.js",
        "venv/lib/x.py",
        ".git/HEAD",
        ".cache/x.txt",
        "src/__pycache__/x.txt",
        "src/x.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /usr\n", encoding="utf-8")

    look = look_at(tmp_path)

    assert [group.pattern for group in look.groups] == ["src/x.py"]
    assert look.left_out == (".cache", "node_modules", "venv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_and_a_folder_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("secret\n", encoding="utf-8")
    (tmp_path / "a.md").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)

    look = look_at(tmp_path)
    (tmp_path / "closed").chmod(0o700)

    assert look.unread == (
        "closed/: it can't be read (Permission denied)",
        "a.md: it can't be read (Permission denied)",
    )


BROKEN: dict[str, tuple[bytes, str]] = {
    "a.txt": (b"abc\0def" * 9, "NUL"),
    "b.py": (bytes(range(1, 9)) * 90, "no text"),
    "c.eml": (b"just words\n", "none of the headers"),
    "d.pdf": (b"no pdf", "pypdf"),
    "e.docx": (b"no docx", "docx"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_each_kind_is_named_with_its_reason(tmp_path: Path, name: str) -> None:
    content, reason = BROKEN[name]
    (tmp_path / name).write_bytes(content)

    (line,) = look_at(tmp_path).unread

    assert line.startswith(f"{name}: ")
    assert reason in line


def test_a_link_is_neither_followed_nor_told_of(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.md").write_text("outside\n", encoding="utf-8")
    (tmp_path / "in" / "link.md").symlink_to(tmp_path / "out.md")

    assert look_at(tmp_path / "in") == Look()


def test_of_several_files_the_first_with_anything_in_it_is_shown(tmp_path: Path) -> None:
    for name, content in (("a.md", b""), ("b.md", b"\0\0\0\1" * 50), ("c.md", b"words\n")):
        (tmp_path / name).write_bytes(content)

    look = look_at(tmp_path)

    assert (look.groups[0].sampled, look.groups[0].lines) == ("c.md", ("words",))
    assert len(look.unread) == 1
    assert look.unread[0].startswith("b.md: ")


def test_many_folders_of_one_kind_are_told_of_together(tmp_path: Path) -> None:
    for number in range(40):
        folder = tmp_path / ("src" if number % 2 else "doc") / f"part{number}"
        folder.mkdir(parents=True)
        (folder / "x.py").write_text("x = 1\n", encoding="utf-8")

    groups = look_at(tmp_path).groups

    assert [(group.pattern, group.files, group.is_exact) for group in groups] == [
        ("doc/**/*.py", 20, True),
        ("src/**/*.py", 20, True),
    ]


def test_a_pattern_that_would_match_other_files_is_told_in_words(tmp_path: Path) -> None:
    for number in range(14):
        folder = tmp_path / f"part{number}"
        folder.mkdir()
        (folder / "settings.json").write_text("{}", encoding="utf-8")
        (folder / "rows.json").write_text('[{"a": 1}]', encoding="utf-8")

    (group,) = look_at(tmp_path).groups

    assert (group.pattern, group.files, group.is_exact) == ("*.json that are no tables below ./", 14, False)


def test_a_pattern_that_reaches_into_installed_packages_is_not_offered(tmp_path: Path) -> None:
    for number in range(14):
        for folder in (
            tmp_path / f"src/part{number}",
            tmp_path / f"part{number}",
            tmp_path / "node_modules/a",
        ):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "x.js").write_text("x\n", encoding="utf-8")

    groups = look_at(tmp_path).groups

    assert [(group.pattern, group.files, group.is_exact) for group in groups] == [
        ("*.js below ./", 28, False)
    ]


def test_files_that_a_program_keeps_for_itself_spoil_no_pattern(tmp_path: Path) -> None:
    for number in range(14):
        folder = tmp_path / f"part{number}"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "x.py").write_text("x\n", encoding="utf-8")
        (folder / ".gitignore").write_text("y\n", encoding="utf-8")

    groups = look_at(tmp_path).groups

    assert [(group.pattern, group.is_exact) for group in groups] == [
        ("**/.gitignore", True),
        ("**/*.py", True),
    ]


def test_files_without_ending_in_many_folders_are_told_of_in_words(tmp_path: Path) -> None:
    for number in range(8):
        folder = tmp_path / f"part{number}"
        folder.mkdir()
        for name in ("README", "LICENSE", "x.py"):
            (folder / name).write_text("words\n", encoding="utf-8")

    groups = look_at(tmp_path).groups

    assert [(group.pattern, group.files) for group in groups] == [
        ("files without ending below ./", 16),
        ("**/*.py", 8),
    ]
