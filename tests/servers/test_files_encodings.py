# ruff: noqa: RUF001 -- texts of many languages hold what looks like other letters
"""The MCP server ``files`` and the encodings of texts: none is misread in silence, and an edit keeps all bytes it is not about."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_servers.files_parts.texts import LEGACY as LEGACY_NAMES
from mcp_servers.files_parts.texts import UnreadableText, decode, encoding_of
from tests.servers.conftest import call, text_of

pytestmark = pytest.mark.anyio

GERMAN = "Preis: 10 € – „gut“\nSchöne Grüße aus München, größer als üblich.\nDie Straße ist für Fußgänger gesperrt.\n"
FRENCH = "Voilà l’été à l’hôtel où le garçon a déjà mangé.\nLa forêt, c’est très bien, même en février.\n"
SPANISH = "El niño comió una manzana en la montaña. ¿Dónde está el baño?\n¡Mañana será otro día!\n"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy.\nDěkuji, že jste přišli včas na schůzku.\n"
POLISH = "Zażółć gęślą jaźń. Proszę przesłać umowę najpóźniej w piątek.\nDziękuję bardzo.\n"
HUNGARIAN = "Az árvíztűrő tükörfúrógép működik. Köszönöm szépen a gyors választ.\n"
TURKISH = "Çok güzel bir gün. Lütfen raporu cuma gününe kadar gönderin. İyi akşamlar, ışık.\n"
LITHUANIAN = "Ačiū už pagalbą. Prašome atsiųsti ataskaitą iki penktadienio.\n"
RUSSIAN = "Привет, мир. Это обычный русский текст, который читают люди.\nОтчёт нужно сдать в пятницу.\n"
GREEK = "Καλημέρα κόσμε. Η αναφορά πρέπει να παραδοθεί την Παρασκευή.\nΣας ευχαριστώ πολύ για τη βοήθεια.\n"
ARABIC = "مرحبا بالعالم. يرجى إرسال التقرير قبل يوم الجمعة.\n"
JAPANESE = "これはテストです。日本語の文章を読みます。\n報告書は金曜日までに提出してください。\n"
CHINESE = "这是一个测试。请在星期五之前提交报告。\n谢谢大家的帮助。\n"
TAIWANESE = "這是一個測試。請在星期五之前提交報告。\n謝謝大家的幫助。\n"
KOREAN = "이것은 시험입니다. 금요일까지 보고서를 제출해 주세요.\n감사합니다.\n"

LEGACY = [
    ("cp1252", GERMAN),
    ("cp1252", FRENCH),
    ("cp1252", SPANISH),
    ("mac_roman", GERMAN),
    ("mac_roman", FRENCH),
    ("mac_roman", SPANISH),
    ("cp850", SPANISH),
    ("cp1250", CZECH),
    ("cp1250", POLISH),
    ("cp1250", HUNGARIAN),
    ("iso8859_2", POLISH),
    ("cp1254", TURKISH),
    ("cp1257", LITHUANIAN),
    ("cp1251", RUSSIAN),
    ("koi8_r", RUSSIAN),
    ("cp866", RUSSIAN),
    ("iso8859_5", RUSSIAN),
    ("cp1253", GREEK),
    ("cp1256", ARABIC),
    ("cp932", JAPANESE),
    ("euc_jp", JAPANESE),
    ("iso2022_jp", JAPANESE),
    ("gb18030", CHINESE),
    ("big5", TAIWANESE),
    ("cp949", KOREAN),
]
WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
MARKED = {"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"}


@pytest.mark.parametrize(("name", "text"), LEGACY)
def test_a_legacy_encoding_is_told_from_a_few_lines(name: str, text: str) -> None:
    data = text.encode(name)

    assert decode(data, encoding_of(data)) == text


@pytest.mark.parametrize(("name", "text"), LEGACY)
def test_no_reading_that_is_called_sure_is_wrong(name: str, text: str) -> None:
    """From one word on, from any line, and of many lines."""
    pieces = [*text.split(), *text.splitlines(), text * 30]
    for piece in pieces:
        data = piece.encode(name)
        try:
            encoding = encoding_of(data)
        except UnreadableText:
            continue
        assert decode(data, encoding) == piece or not encoding.is_sure, (piece, encoding)


@pytest.mark.parametrize(("name", "text"), LEGACY)
async def test_reading_names_the_encoding_and_how_sure_it_is(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode(name))

    shown = text_of(await call(tmp_path, "read", path="a.txt"))

    assert shown.startswith(text)
    assert shown.splitlines()[-1].startswith(f"[not UTF-8: read as {name}")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("text", ["The kettle costs 24.90.\nIt is blue.\n", GERMAN, RUSSIAN, CHINESE, "Hi"])
@pytest.mark.parametrize("name", WIDE)
async def test_wide_encodings_are_read_and_searched(tmp_path: Path, name: str, text: str, mark: str) -> None:
    (tmp_path / "a.txt").write_bytes((mark + text).encode(name))

    shown = text_of(await call(tmp_path, "read", path="a.txt"))
    found = text_of(await call(tmp_path, "search", text=text.split()[0]))

    assert shown.splitlines() == [*text.splitlines(), f"[not UTF-8: read as {name}]"]
    assert found.startswith(f"a.txt:1: {text.split()[0]}")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("Zoë and Ben\n".encode() + b"Zo\xeb\n", "Zoë and Ben\nZo\\xeb\n"),
        ("Größe, Straße, Äpfel\nKäse ".encode() + b"\xff\n", "Größe, Straße, Äpfel\nKäse \\xff\n"),
        ("\ufeffGröße\n".encode() + b"\xe4\n", "Größe\n\\xe4\n"),
    ],
)
async def test_a_few_bytes_that_are_no_utf8_are_shown_as_such(
    tmp_path: Path, data: bytes, shown: str
) -> None:
    (tmp_path / "a.txt").write_bytes(data)

    read = text_of(await call(tmp_path, "read", path="a.txt"))

    assert read == f"{shown}[bytes that are not of the text's encoding are shown as \\xNN: line 2]"


ENDS = ["\n", "\r\n", "\r"]


@pytest.mark.parametrize("last", ["", "end"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("name", "mark", "text"),
    [
        ("utf-8", "", "Zoë 会议"),
        ("utf-8", "\ufeff", "Zoë 会议"),
        ("utf-16-le", "\ufeff", "Zoë 会议"),
        ("utf-16-be", "\ufeff", "Zoë 会议"),
        ("utf-16-le", "", "Plain words"),
        ("utf-32-le", "\ufeff", "Zoë"),
        *((name, "", text.replace("\n", " ").strip()) for name, text in LEGACY),
    ],
)
async def test_an_edit_keeps_encoding_mark_and_line_ends(
    tmp_path: Path, name: str, mark: str, text: str, end: str, last: str
) -> None:
    lines = [text, "one two", "three", last]
    (tmp_path / "a.txt").write_bytes((mark + end.join(lines)).encode(name))

    result = await call(tmp_path, "edit", path="a.txt", old="two\nthree", new="2\n3")

    assert not result.is_error, text_of(result)
    assert (tmp_path / "a.txt").read_bytes() == (mark + end.join([text, "one 2", "3", last])).encode(name)


async def test_mixed_line_ends_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\ntwo\r\nthree\rfour")

    await call(tmp_path, "edit", path="a.txt", old="two\nthree", new="2\n3")
    await call(tmp_path, "edit", path="a.txt", old="3\nfour", new="3\n4")

    assert (tmp_path / "a.txt").read_bytes() == b"one\n2\r\n3\r4"


async def test_an_edit_leaves_bytes_alone_that_are_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Größe Äpfel\n".encode() + b"Zo\xeb one\n")

    await call(tmp_path, "edit", path="a.txt", old=" one", new=" zwölf")

    assert (tmp_path / "a.txt").read_bytes() == "Größe Äpfel\n".encode() + b"Zo\xeb " + "zwölf\n".encode()


@pytest.mark.parametrize(
    ("name", "text", "new"),
    [
        ("cp1252", GERMAN, "→"),
        ("cp1250", CZECH, "ñ"),
        ("cp1251", RUSSIAN, "ß"),
        ("mac_roman", FRENCH, "ž"),
        ("cp932", JAPANESE, "한"),
        ("big5", TAIWANESE, "é"),
        ("cp949", KOREAN, "ë"),
        ("cp1252", FRENCH, "会"),
        ("utf-8", "Zoë", "\ud800"),
    ],
)
async def test_an_edit_that_cannot_be_written_writes_nothing(
    tmp_path: Path, name: str, text: str, new: str
) -> None:
    data = (text + "one\n").encode(name)
    (tmp_path / "a.txt").write_bytes(data)

    result = await call(tmp_path, "edit", path="a.txt", old="one", new=new)

    assert result.is_error
    assert (tmp_path / "a.txt").read_bytes() == data


async def test_an_edit_that_would_change_other_bytes_is_refused(tmp_path: Path) -> None:
    # Of two codes for one letter, cp932 writes the other: these bytes would not come back.
    data = JAPANESE.encode("cp932") + b"\x87\x90 one\n"
    (tmp_path / "a.txt").write_bytes(data)

    result = await call(tmp_path, "edit", path="a.txt", old="one", new="two")

    assert text_of(result) == "edit: 'a.txt' cannot be edited: other bytes of it would change in cp932"
    assert (tmp_path / "a.txt").read_bytes() == data


async def test_an_edit_of_a_guessed_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "offer.txt").write_bytes("Customer: Müller\nPrice: €5 – net\n".encode("cp1252"))

    result = await call(tmp_path, "edit", path="offer.txt", old="Customer:", new="Customer („new“):")

    assert text_of(result).startswith("edited offer.txt [not UTF-8: read as cp1252, a guess")
    assert (tmp_path / "offer.txt").read_bytes() == "Customer („new“): Müller\nPrice: €5 – net\n".encode(
        "cp1252"
    )


@pytest.mark.parametrize(
    "name", [" lead.txt", "trail ", "old\\readme.txt", "a [1].txt", "~$x.txt", "é.txt", "e\u0301.txt"]
)
async def test_a_file_of_any_name_that_can_be_written_is_found_read_and_edited(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("The kettle.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("The kettle.\n", encoding="utf-8")

    found = await call(tmp_path, "glob", pattern="*")
    searched = await call(tmp_path, "search", text="kettle")
    read = await call(tmp_path, "read", path=name)
    edited = await call(tmp_path, "edit", path=name, old="kettle", new="pot")

    assert found.structured_content == {"result": sorted([name, "b.txt"])}
    assert text_of(searched).count("The kettle.") == 2
    assert text_of(read) == "The kettle."
    assert text_of(edited) == f"edited {name}"


@pytest.mark.parametrize("folder", ["notes [2024]", "[a]", "a[", "[!x]", "x [1] [2]"])
async def test_brackets_of_names_match_themselves_where_nothing_else_does(
    tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "a.md").touch()
    (tmp_path / folder / "b[1].md").touch()

    for pattern, found in (("*.md", ["a.md", "b[1].md"]), ("b[1].md", ["b[1].md"])):
        result = await call(tmp_path, "glob", pattern=f"{folder}/{pattern}")
        assert result.structured_content == {"result": [f"{folder}/{name}" for name in found]}


def test_the_page_about_files_names_every_encoding() -> None:
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")

    assert [name for name in [*LEGACY_NAMES, *WIDE] if f"`{name}`" not in page] == []
