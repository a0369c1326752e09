"""How a survey is shown: within its tokens, everything named or counted, and no credential in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.models.servers.counting import estimate
from swarm.nouns.tool import ToolResult
from swarm.survey import Survey, TableGroup, TextGroup, signature
from swarm.survey.databases import stored
from swarm.survey.gathering import texts_of
from swarm.survey.groups import FileGroup, look_at
from swarm.survey.overview import OVERVIEW_TOKENS, SAMPLES_TOKENS, TABLES_TOKENS
from swarm.tabular.files import Group as TableFiles
from swarm.tabular.files import found

ENDINGS = [
    "py",
    "js",
    "md",
    "txt",
    "log",
    "yaml",
    "toml",
    "html",
    "eml",
    "ini",
    "sh",
    "sql",
    "c",
    "rs",
    "go",
    "css",
    "xml",
    "png",
    "zip",
    "csv",
    "json",
    "pdf",
]


def survey_of(folder: Path) -> Survey:
    """What a run's survey would hold of the files of a folder."""
    look = look_at(folder)
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    shown = tuple(path for path in paths if not any(part.startswith(".") for part in path.split("/")))
    tables = [
        TableGroup.model_validate(one.model_dump()) for one in found(folder) if isinstance(one, TableFiles)
    ]
    return Survey(
        paths=shown,
        texts=texts_of(shown, look.groups),
        groups=look.groups,
        opaque=look.opaque,
        tables=tuple(tables),
        left_out=look.left_out,
        unread=look.unread,
        unlisted=look.more,
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand files of many kinds in a hundred folders."""
    top = tmp_path_factory.mktemp("mixed")
    for number in range(1_000):
        ending = ENDINGS[number % len(ENDINGS)]
        folder = top / f"area{number % 7}" / f"part{number % 100}"
        folder.mkdir(parents=True, exist_ok=True)
        text = {
            "csv": "city,sales\nUlm,5\nBonn,7\n",
            "json": '{"a": 1}',
            "eml": "From: a@b.example\n\nwords\n",
        }
        words = f"line of number {number} with some words in it\n" * 40
        (folder / f"file{number}.{ending}").write_text(text.get(ending, words), encoding="utf-8")
    (top / ".env").write_text("TOKEN=abcdefghijklmnop\n", encoding="utf-8")
    return top


def test_a_thousand_mixed_files_fit_their_tokens_and_every_kind_is_told_of(mixed: Path) -> None:
    survey = survey_of(mixed)
    lines, samples = survey.lines(), survey.samples()

    assert estimate(lines) <= OVERVIEW_TOKENS + TABLES_TOKENS
    assert (
        estimate("\n".join(line for line in lines.split("\n") if not line.startswith("Tables")))
        <= 1.1 * OVERVIEW_TOKENS
    )
    assert estimate(samples) <= 1.1 * SAMPLES_TOKENS
    for told in (lines, samples):
        assert ".env" in told
        assert "45 archives" in told
        assert "45 images" in told or "46 images" in told
    assert "TOKEN" in lines
    assert "abcdefgh" not in lines + samples


def test_the_same_folder_is_told_of_in_the_same_words(mixed: Path) -> None:
    assert survey_of(mixed) == survey_of(mixed)


def test_every_pattern_matches_just_the_files_of_its_group(mixed: Path) -> None:
    for group in survey_of(mixed).texts:
        matched = {path.relative_to(mixed).as_posix() for path in mixed.glob(group.pattern)}
        assert matched == set(group.paths)
        assert len(matched) == group.files


@pytest.mark.parametrize("tokens", [100, 300, 900, 3_000])
def test_samples_keep_to_the_tokens_that_they_are_given(mixed: Path, tokens: int) -> None:
    assert estimate(survey_of(mixed).samples(tokens)) <= 1.15 * tokens + 30


def test_a_small_window_gets_a_shorter_overview(mixed: Path) -> None:
    survey = survey_of(mixed)

    assert estimate(survey.lines(1_024)) < estimate(survey.lines(32_768))
    assert survey.lines(8_192) == survey.lines(32_768) == survey.lines()


def test_samples_show_names_types_rows_and_first_lines(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text('order,"price"\nx,"1,5"\ny,"2,5"\nz,3\n', encoding="utf-8")
    (tmp_path / "notes").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "notes" / f"{name}.md").write_text(f"# {name}\ntext\n", encoding="utf-8")
    (tmp_path / "k.png").write_bytes(b"\x89PNG")

    assert survey_of(tmp_path).samples().splitlines() == [
        'table sales("order" TEXT, price NUMBER) from sales.csv, 3 rows',
        "  x, 1.5",
        "  y, 2.5",
        "notes/*.md (3 files, Markdown, 27 bytes); first lines of a.md:",
        "  # a",
        "  text",
        "Files that are not read: 1 image",
    ]


def test_credentials_in_rows_and_in_what_a_database_tells_are_hidden() -> None:
    table = TableGroup(
        name="users",
        pattern="users.csv",
        columns=("name", "password"),
        first=(("Ana", "hunter2x"), ("Bo", "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
    )
    stored = TableGroup(
        name="keys",
        pattern="a.db",
        columns=("k",),
        text="keys(k TEXT) -- 1 row\n  e.g. ('sk-123456789012345678901234')",
    )

    told = Survey(tables=(table,), database_tables=(stored,)).samples()

    assert told.splitlines() == [
        "table users(name, password) from users.csv",
        "  Ana, ***",
        "  Bo, ***",
        "table keys(k TEXT) -- 1 row, in a.db",
        "  e.g. ('***')",
    ]


def test_many_tables_show_fewer_columns_each_and_say_so() -> None:
    wide = tuple(f"column_number_{n}" for n in range(50))
    tables = tuple(TableGroup(name=f"t{n}", pattern="a.db", columns=wide) for n in range(60))

    told = Survey(database_tables=tables).lines()

    assert estimate(told) <= TABLES_TOKENS * 1.1
    assert all(f"t{n}(" in told for n in range(60))
    assert "more columns)" in told
    assert (
        signature("t", wide) in Survey(tables=(TableGroup(name="t", pattern="t.csv", columns=wide),)).lines()
    )


def test_what_is_cut_is_counted() -> None:
    texts = tuple(TextGroup(pattern=f"a{n}.md", paths=(f"a{n}.md",)) for n in range(40))
    groups = tuple(
        FileGroup(pattern=f"a{n}.md", kind="Markdown", first=f"a{n}.md", lines=("x",) * 9) for n in range(400)
    )

    assert "and 24 more groups of text files" in Survey(texts=texts).lines()
    last = Survey(groups=groups).samples(300).splitlines()[-1]
    assert last.endswith(" more groups of files")


def test_tables_of_a_database_are_told_with_their_rows() -> None:
    line = '"t x"(id INTEGER, "order" TEXT) -- 2 rows'
    schema = ToolResult(
        text=f"{line}\n  e.g. (1, 'a'), (2, 'b')\n  order: 'a', 'b'",
        data=[{"database": "a.db", "schema": line}],
    )

    (table,) = stored(schema, "a.db", [])

    assert (table.name, table.pattern, table.columns) == ("t x", "a.db", ("id", "order"))
    assert Survey(database_tables=(table,)).samples().splitlines() == [
        f"table {line}, in a.db",
        "  e.g. (1, 'a'), (2, 'b')",
    ]
