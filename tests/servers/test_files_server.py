"""The MCP server ``files``, through its tools: what a well-meaning caller gets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from mcp_servers import files
from tests.servers.conftest import call, text_of

pytestmark = pytest.mark.anyio


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("# Monday\nAna sends the report.\n", encoding="utf-8")
    (folder / "b.md").write_text("# Tuesday\nBen calls.\nana listens.\n", encoding="utf-8")
    (tmp_path / "plan.txt").write_text("plan\n", encoding="utf-8")
    (tmp_path / ".hidden").write_text("secret", encoding="utf-8")
    return tmp_path


async def test_a_listing_names_each_file_with_its_size_and_no_hidden_one(notes: Path) -> None:
    result = await call(notes, "list")

    assert text_of(result) == "plan.txt 5\nnotes/\nnotes/a.md 31\nnotes/b.md 34"
    assert result.structured_content == {
        "result": [
            {"path": "plan.txt", "size": 5},
            {"path": "notes/a.md", "size": 31},
            {"path": "notes/b.md", "size": 34},
        ]
    }


async def test_a_listing_of_hundreds_of_files_fits_sixty_lines(tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        for number in range(100):
            (tmp_path / folder / f"{number:03}.md").touch()

    lines = text_of(await call(tmp_path, "list")).splitlines()

    assert len(lines) <= 60
    assert "[88 more files (.md); glob 'a/*' lists them]" in lines


async def test_a_glob_gives_sorted_paths_as_data(notes: Path) -> None:
    result = await call(notes, "glob", pattern="notes/*.md")

    assert result.structured_content == {"result": ["notes/a.md", "notes/b.md"]}
    assert text_of(result) == "notes/a.md\nnotes/b.md"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.md", ["notes/a.md", "notes/b.md"]),
        ("**", ["notes/a.md", "notes/b.md", "plan.txt"]),
        ("*", ["plan.txt"]),
        ("./notes/[ab].md", ["notes/a.md", "notes/b.md"]),
        ("notes/**/b.*", ["notes/b.md"]),
        ("**/.hidden", []),
    ],
)
async def test_a_glob_matches_folder_by_folder(notes: Path, pattern: str, found: list[str]) -> None:
    result = await call(notes, "glob", pattern=pattern)

    assert result.structured_content == {"result": found}


async def test_a_glob_without_matches_says_which_pattern_has_some(notes: Path) -> None:
    assert (
        text_of(await call(notes, "glob", pattern="*.md")) == "no file matches '*.md', but 2 match '**/*.md'"
    )
    assert (
        text_of(await call(notes, "glob", pattern="notes"))
        == "no file matches 'notes', but 2 match 'notes/**'\n[left out:\n'notes' is a folder\n]"
    )


async def test_a_part_of_a_file_says_how_to_read_on(notes: Path) -> None:
    result = await call(notes, "read", path="notes/b.md", start=2, lines=1)

    assert text_of(result) == "Ben calls.\n[lines 2-2 of 3; go on with start=3]"


async def test_a_long_file_is_given_in_parts_that_fit_a_small_window(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(("x" * 99 + "\n") * 1000, encoding="utf-8")

    text = text_of(await call(tmp_path, "read", path="long.txt"))

    assert text.endswith("\n[lines 1-120 of 1000; go on with start=121]")
    assert len(text) < 12_100


async def test_a_file_of_one_huge_line_is_cut(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("1" * 3_000_000, encoding="utf-8")

    text = text_of(await call(tmp_path, "read", path="one.json"))

    assert "[line 1 is cut after 12000 characters; use search]" in text
    assert len(text) < 12_200


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Zoë\n".encode(), "Zoë"),
        (b"\xef\xbb\xbfZo\xc3\xab\r\nAda\r\n", "Zoë\nAda"),
        (
            b"Zo\xeb\n",
            "Zoë\n[not UTF-8: read as cp1252, a guess (cp1257 fits too); letters beyond a-z may be wrong]",
        ),
        (b"", "(empty file)"),
    ],
)
async def test_text_is_read_in_any_of_the_usual_encodings(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "name.txt").write_bytes(data)

    assert text_of(await call(tmp_path, "read", path="name.txt")) == text


async def test_a_missing_file_is_answered_with_the_one_that_was_meant(notes: Path) -> None:
    result = await call(notes, "read", path="note/a.md")

    assert result.is_error
    assert text_of(result) == "read: no file 'note/a.md'; did you mean 'notes/a.md'?"


async def test_a_search_finds_lines_in_any_letter_case(notes: Path) -> None:
    result = await call(notes, "search", text="ANA")

    assert text_of(result) == "notes/a.md:2: Ana sends the report.\nnotes/b.md:3: ana listens."
    assert result.structured_content == {
        "result": [
            {"path": "notes/a.md", "line": 2, "text": "Ana sends the report."},
            {"path": "notes/b.md", "line": 3, "text": "ana listens."},
        ]
    }


async def test_a_search_takes_a_regular_expression_where_the_words_are_not_found(notes: Path) -> None:
    result = await call(notes, "search", text=r"^ben|report\.$")

    assert text_of(result) == "notes/a.md:2: Ana sends the report.\nnotes/b.md:2: Ben calls."


async def test_a_search_that_finds_nothing_says_how_much_it_looked_at(notes: Path) -> None:
    assert text_of(await call(notes, "search", text="zzz", pattern="notes/*")) == (
        "'zzz' is in none of 2 files that match 'notes/*'"
    )


async def test_a_write_makes_folders_and_names_the_file_it_wrote(tmp_path: Path) -> None:
    result = await call(tmp_path, "write", path="out/deep/a.txt", content="hé\n")

    assert (tmp_path / "out/deep/a.txt").read_bytes() == b"h\xc3\xa9\n"
    assert text_of(result) == "wrote 4 bytes to out/deep/a.txt"
    assert result.meta is not None
    assert result.meta["swarm/files"] == ["out/deep/a.txt"]


@pytest.mark.parametrize("name", ["prices.xlsx", "new/letter.DOCX", "post.jpg"])
async def test_a_text_is_not_written_as_a_file_that_no_text_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "prices.xlsx").write_bytes(b"PK\x03\x04")

    result = await call(tmp_path, "write", path=name, content="lamp,1\n")

    assert result.is_error
    assert "use a tool that makes" in text_of(result)
    assert files_in(tmp_path) == ["prices.xlsx"]
    assert (tmp_path / "prices.xlsx").read_bytes() == b"PK\x03\x04"


async def test_a_repeated_write_leaves_the_same_file_and_its_permissions(tmp_path: Path) -> None:
    await call(tmp_path, "write", path="a.sh", content="echo\n")
    (tmp_path / "a.sh").chmod(0o744)

    await call(tmp_path, "write", path="a.sh", content="echo\n")

    assert (tmp_path / "a.sh").read_text(encoding="utf-8") == "echo\n"
    assert (tmp_path / "a.sh").stat().st_mode & 0o777 == 0o744
    assert files_in(tmp_path) == ["a.sh"]


async def test_an_edit_replaces_a_piece_that_is_there_once(notes: Path) -> None:
    await call(notes, "edit", path="notes/b.md", old="Ben calls.", new="Ben writes.")

    assert (notes / "notes/b.md").read_text(encoding="utf-8") == "# Tuesday\nBen writes.\nana listens.\n"


async def test_a_repeated_edit_changes_nothing(notes: Path) -> None:
    await call(notes, "edit", path="notes/b.md", old="Ben calls.", new="Ben writes.")
    result = await call(notes, "edit", path="notes/b.md", old="Ben calls.", new="Ben writes.")

    assert text_of(result) == "notes/b.md already says that; nothing to do"


async def test_an_edit_of_unclear_text_changes_nothing_and_says_why(notes: Path) -> None:
    twice = await call(notes, "edit", path="notes/b.md", old="a", new="o")
    never = await call(notes, "edit", path="notes/b.md", old="Ben called.", new="Ben wrote.")

    assert text_of(twice) == "edit: that text is 4 times in 'notes/b.md'; give more of what is around it"
    assert text_of(never) == "edit: that text is not in 'notes/b.md'; the nearest line is 'Ben calls.'"
    assert (notes / "notes/b.md").read_text(encoding="utf-8") == "# Tuesday\nBen calls.\nana listens.\n"


async def test_an_edit_keeps_line_ends_and_encoding(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(b"Zo\xeb\r\nBen\r\n")

    await call(tmp_path, "edit", path="old.txt", old="Zoë\nBen", new="Noë\nBen")

    assert (tmp_path / "old.txt").read_bytes() == b"No\xeb\r\nBen\r\n"


async def test_a_move_takes_a_file_or_a_folder_to_a_new_place(notes: Path) -> None:
    await call(notes, "move", path="plan.txt", to="old/plan.txt")
    result = await call(notes, "move", path="notes", to="old/notes")

    assert text_of(result) == "moved notes to old/notes"
    assert files_in(notes / "old") == ["notes/a.md", "notes/b.md", "plan.txt"]


async def test_a_move_never_replaces_a_file(notes: Path) -> None:
    result = await call(notes, "move", path="notes/a.md", to="notes/b.md")

    assert text_of(result) == "move: 'notes/b.md' exists already; choose another name"
    assert (notes / "notes/a.md").exists()


async def test_further_folders_are_reached_by_their_whole_path(
    notes: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "c.md").write_text("more\n", encoding="utf-8")
    server = files.build(["--root", str(notes), "--root", str(other)])

    async with Client(server) as client:
        listed = await client.call_tool("list", {})
        found = await client.call_tool("glob", {"pattern": f"{other}/*.md"})
        read = await client.call_tool("read", {"path": f"{other}/c.md"})

    assert f"{other}/ (list it to see inside)" in text_of(listed)
    assert found.structured_content == {"result": [f"{other}/c.md"]}
    assert text_of(read) == "more"


async def test_a_read_only_server_offers_no_tool_that_writes(notes: Path) -> None:
    async with Client(files.build(["--root", str(notes), "--read-only"])) as client:
        tools = (await client.list_tools()).tools

    assert [tool.name for tool in tools] == ["list", "glob", "read", "search"]
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)


async def test_every_description_is_short(notes: Path) -> None:
    async with Client(files.build(["--root", str(notes)])) as client:
        tools = (await client.list_tools()).tools

    assert [tool.name for tool in tools if len(tool.description or "") > 120] == []


async def test_the_server_works_over_stdio(notes: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-P", files.__file__, "--root", str(notes)], cwd=notes
    )
    async with Client(command, read_timeout_seconds=30) as client:
        result = await client.call_tool("glob", {"pattern": "**/*.txt"})

    assert result.structured_content == {"result": ["plan.txt"]}


def test_a_missing_folder_ends_the_start_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        files.build(["--root", "/nowhere/at/all"])

    assert "--root '/nowhere/at/all' is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"), [("Anna: open", "done"), ("Anna:  waiting", "Ben: done"), ("= 30", "Ben")]
)
async def test_an_edit_whose_old_text_is_not_there_is_not_taken_for_done_by_chance(
    tmp_path: Path, old: str, new: str
) -> None:
    (tmp_path / "todo.md").write_text("Anna: pending\nBen: done\n", encoding="utf-8")
    result = await call(tmp_path, "edit", path="todo.md", old=old, new=new)

    assert "that text is not in 'todo.md'" in text_of(result)
    assert (tmp_path / "todo.md").read_text(encoding="utf-8") == "Anna: pending\nBen: done\n"
