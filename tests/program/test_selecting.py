"""Steps that are done by SELECTs: what is asked for, what can be written, and the program that is made of it."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.models.client.litellm import LitellmModel
from swarm.models.embedded.server_process import open_embedded
from swarm.nouns.messages import Message, Request
from swarm.nouns.plan import Step
from swarm.program.asked import Asked
from swarm.program.checks import Promise
from swarm.program.program_wire import Order, TableFiles
from swarm.program.select_grammar import select_grammar
from swarm.program.selecting import FIRST, SECOND, SelectContext, SelectPart, Selects, parts_of, selects
from swarm.program.table_schema import MOST_ROWS, TableSchema, schema_of
from swarm.survey import Survey

INVOICES = "invoice,customer,amount,status\n" + "".join(
    f"R{n},{'Ada' if n % 2 else 'Bo'},{n + 0.5},{'void' if n % 5 == 0 else 'sent'}\n" for n in range(1, 16)
)
PAYMENTS = "day,invoice,amount\n" + "".join(f"2026-01-{n:02},R{n},{n / 2}\n" for n in range(1, 10))
QUESTION = SelectContext(instructions="You.", notes="", task="", step="", room=900)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    (tmp_path / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    (tmp_path / "payments.csv").write_text(PAYMENTS, encoding="utf-8")
    tables = [TableFiles(name=name, pattern=f"{name}.csv") for name in ("invoices", "payments")]
    return Order(program="", workspace=str(tmp_path), written="", scratch="", tables=tables)


@contextmanager
def opened(order: Order, task: str = "") -> Generator[TableSchema]:
    with schema_of(order, ["invoices", "payments"], task) as schema:
        yield schema


def promised(task: str, *files: str) -> Promise:
    step = Step(id="work", agent="programmer", brief=task)
    return Promise(step, task, Survey(), files, is_last=True)


def made(schema: TableSchema, task: str, *files: str) -> list[Selects]:
    return selects(schema, promised(task, *files), replace(QUESTION, task=task))


def reply(select: str) -> str:
    """What a model writes after the beginning that it is given."""
    return f" One row for each x; only where y\n{select}\n```"


def test_a_table_is_told_of_with_what_belongs_to_its_rows(order: Order) -> None:
    with opened(order, "Which invoices are open? Void ones don't count.") as schema:
        told = schema.told(900)

    head = next(line for line in told.splitlines() if line.startswith("CREATE TABLE invoices "))
    assert "amount NUMBER, status TEXT, count_payments NUMBER" in head
    assert "amount_minus_payments NUMBER" in head
    assert "-- status is one of: sent, void\n-- the task speaks of status 'void'" in told
    assert "-- R1, Ada, 1.5, sent, 1, 0.5, 1" in told


@pytest.mark.parametrize(
    ("task", "files", "parts"),
    [
        (
            "Write open.csv with the columns invoice and rest. How many are there?",
            ["open.csv"],
            [SelectPart("open.csv", ("invoice", "rest")), SelectPart("", (), True, "How many are there?")],
        ),
        (
            "Which customer owes most, and how much?",
            [],
            [SelectPart("", (), False, "Which customer owes most, and how much?")],
        ),
        (
            "sums.json gets a JSON object with the totals.",
            ["sums.json"],
            [SelectPart("sums.json", (), True, "", True)],
        ),
        (
            'Write sums.json, an object like {"open": 0, "paid": 3}, for me.',
            ["sums.json"],
            [SelectPart("sums.json", ("open", "paid"), True, "", True)],
        ),
        ("Write a letter to letter.txt.", ["letter.txt"], []),
    ],
)
def test_each_file_and_the_answer_are_asked_for_apart(
    task: str, files: list[str], parts: list[SelectPart]
) -> None:
    assert [*parts_of(promised(task, *files))] == parts


def test_a_part_is_not_told_what_is_said_of_another(order: Order) -> None:
    task = "Compare payments with invoices. open.csv: invoice, rest. How many are equal?"
    with opened(order) as schema:
        first, second = made(schema, task, "open.csv")
        asked = [part.messages[-1].content for part in first.parts]

    assert (first.way, second.way) == (FIRST, SECOND)
    assert "Task: Compare payments with invoices. open.csv: invoice, rest.\n" in asked[0]
    assert asked[0].endswith("Write the SELECT for open.csv with the columns invoice, rest.")
    assert asked[1].endswith("Write the SELECT that answers: How many are equal?")


def test_what_most_samples_agree_on_comes_first_part_by_part(order: Order) -> None:
    files = ["SELECT invoice FROM invoices WHERE amount > 14", "SELECT nothing FROM invoices"]
    files += [
        "SELECT invoice FROM invoices WHERE amount > 90",
        "SELECT invoice FROM invoices WHERE amount >= 14.5",
    ]
    answers = [
        "SELECT COUNT(*) AS n FROM payments",
        "SELECT COUNT(*) AS n FROM invoices",
        "SELECT 15 AS n FROM payments",
    ]
    answers += ["SELECT COUNT(*) AS all_of_them FROM invoices"]
    with opened(order) as schema:
        first, _ = made(schema, "Write big.csv: invoice. How many are there?", "big.csv")
        programs = first.programs([[*map(reply, files)], [*map(reply, answers)]])

    assert len(programs) == 4
    assert "amount > 14" in programs[0].program
    assert "amount >= 14.5" in programs[1].program
    assert programs[0].program.endswith("answer(found[0] if len(found) == 1 else found)\n")


def test_a_query_that_leaves_out_what_the_task_names_comes_later_and_is_doubted(order: Order) -> None:
    task = "Write all.csv: invoice. Void ones are left out."
    lacks, heeds = "SELECT invoice FROM invoices", "SELECT invoice FROM invoices WHERE status != 'void'"
    with opened(order, task) as schema:
        first, _ = made(schema, task, "all.csv")
        best, *_ = first.programs([[reply(lacks), reply(lacks), reply(heeds)]])
        (only,) = first.programs([[reply(lacks)]])

    assert ("status != 'void'" in best.program, best.doubt) == (True, "")
    assert only.doubt == "the task speaks of status 'void', and the query says nothing of it"


@pytest.mark.parametrize(
    ("task", "select", "doubt"),
    [
        ("Write big.csv: invoice. Only amounts over 12.", "SELECT invoice FROM invoices", "12"),
        (
            "Write big.csv: invoice. Only amounts over 12.",
            "SELECT invoice FROM invoices WHERE amount > 12",
            "",
        ),
        ("Write big.csv: invoice. Amounts have 2 decimals (1-99).", "SELECT invoice FROM invoices", ""),
    ],
)
def test_a_query_that_leaves_out_a_number_of_the_task_is_doubted(
    order: Order, task: str, select: str, doubt: str
) -> None:
    with opened(order, task) as schema:
        first, _ = made(schema, task, "big.csv")
        (written,) = first.programs([[reply(select)]])

    assert written.doubt == (f"the task speaks of {doubt}, and the query says nothing of it" if doubt else "")


def test_a_program_says_all_that_it_builds_on(order: Order) -> None:
    with opened(order) as schema:
        first, _ = made(schema, "Write open.csv: invoice, rest.", "open.csv")
        (written,) = first.programs([[reply("SELECT invoice, amount_minus_payments AS rest FROM invoices")]])
        query = re.search(r'"""\n(.*)\n"""', written.program, re.DOTALL)
        assert query
        rows = schema.rows(query[1])

    assert "WITH invoices_wide AS (" in written.program
    assert "save('open.csv', open)" not in written.program, "a variable hides no function of Python's own"
    assert [row["rest"] for row in rows if row["invoice"] in {"R1", "R12"}] == [1.0, 12.5]


def test_columns_that_are_said_to_be_unlike_are_so_where_one_is_missing(tmp_path: Path) -> None:
    for name, lacks in {"left": "b", "right": "a"}.items():
        lines = [f"{key},{number}" for number, key in enumerate("abcdefgh") if key != lacks]
        (tmp_path / f"{name}.csv").write_text("title,size\n" + "\n".join(lines) + "\n", encoding="utf-8")
    tables = [TableFiles(name=name, pattern=f"{name}.csv") for name in ("left", "right")]
    order = Order(program="", workspace=str(tmp_path), written="", scratch="", tables=tables)
    with schema_of(order, ["left", "right"], "") as schema:
        (pair,) = schema.tables
        rows = schema.rows(pair.within("SELECT title FROM left_and_right WHERE left_size != right_size"))

    assert sorted(str(row["title"]) for row in rows) == ["a", "b"]


def test_of_a_long_table_its_first_rows_and_their_number_are_told(order: Order, tmp_path: Path) -> None:
    many = "day,invoice,amount\n" + "".join(f"2026-01-01,R{n % 9},{n}\n" for n in range(MOST_ROWS + 1))
    (tmp_path / "payments.csv").write_text(many, encoding="utf-8")
    with opened(order) as schema:
        told = schema.told(900)

    assert f"CREATE TABLE payments (day TEXT, invoice TEXT, amount NUMBER) -- {MOST_ROWS + 1:,} rows" in told
    assert (
        "CREATE TABLE invoices (invoice TEXT, customer TEXT, amount NUMBER, status TEXT) -- 15 rows" in told
    )


def test_a_table_that_cannot_be_read_is_left_out_and_doubts_what_the_others_give(
    order: Order, tmp_path: Path
) -> None:
    (tmp_path / "payments.csv").write_bytes(b"\x00\x01\x02" * 300)
    with opened(order) as schema:
        first, _ = made(schema, "Write all.csv: invoice.", "all.csv")
        (written,) = first.programs([[reply("SELECT invoice FROM invoices")]])

        assert [table.name for table in schema.tables] == ["invoices"]
    assert written.doubt.startswith("payments could not be read: ")


def test_what_a_query_builds_on_and_nobody_knows_is_doubted(order: Order, tmp_path: Path) -> None:
    with (tmp_path / "payments.csv").open("a", encoding="utf-8") as file:
        file.write("2026-02-01,R99,7\n")
    with opened(order) as schema:
        first, _ = made(schema, "Write all.csv: invoice, paid.", "all.csv")
        selects = ("sum_payments_amount AS paid", "amount_minus_payments AS paid", "amount AS paid")
        written = [
            first.programs([[reply(f"SELECT invoice, {one} FROM invoices")]])[0].doubt for one in selects
        ]

    lost = "1 invoice of payments are no row of invoices"
    assert written == [lost, lost, ""]


@pytest.mark.anyio
@pytest.mark.timeout(300)
async def test_a_real_model_can_write_no_other_table_column_or_name(order: Order, model_file: Path) -> None:
    """The smallest model knows no SQL; what it writes is a SELECT over what is there all the same."""
    with opened(order) as schema:
        grammar = select_grammar(
            schema.tables, ["invoice", "open amount"], thought='" One row for each " [a-z ]{2,20} "\\nSELECT"'
        )
        begun = "```sql\n--"
        asked = (Message(role="user", content="Write a SELECT."), Message(role="assistant", content=begun))
        request = Request(messages=asked, grammar=grammar, max_tokens=160, temperature=0.9, seed=5, samples=4)
        async with (
            open_embedded(model_file, "smollm2-135m-instruct", slots=1, window=2_048) as endpoint,
            LitellmModel(endpoint) as model,
        ):
            reply = await model.reply(request)
        texts = [text for text in (reply.text, *reply.others) if text.endswith("```")]
        codes = [Asked((), FIRST, begun).code(text) for text in texts]

    known = {"invoices", "payments", "invoice", "customer", "amount", "status", "day", "count_payments"}
    for code in codes:
        body = code.split("\n", 1)[1]
        assert re.search(
            r'^SELECT\n? *.* AS invoice,\n? *.* AS "open amount"\n? *FROM (invoices|payments)\b',
            body,
            re.DOTALL,
        )
        names = {*re.findall(r"\b[a-z]\w+\b", re.sub(r"'[^']*'|\"[^\"]*\"", "", body))}
        assert names <= known | {"sum_payments_amount", "amount_minus_payments", "invoices_amount"}


def test_a_word_for_a_file_is_a_name_in_python(order: Order) -> None:
    with opened(order) as schema:
        for file in ("class.csv", "2026.csv", "a b.csv", "save.csv"):
            first, _ = made(schema, f"Write {file}: invoice.", file)
            (written,) = first.programs([[reply("SELECT invoice FROM invoices")]])
            compile(written.program, file, "exec")


@pytest.mark.parametrize(
    ("counted", "is_doubted"),
    [("COUNT(*)", True), ("COUNT(invoice)", True), ("COUNT(DISTINCT invoice)", False)],
)
def test_rows_of_one_table_that_are_counted_as_things_of_another_are_doubted(
    order: Order, counted: str, is_doubted: bool
) -> None:
    with opened(order) as schema:
        first, _ = made(schema, "Write all.csv: customer, invoices.", "all.csv")
        (written,) = first.programs([
            [reply(f"SELECT customer, {counted} AS invoices\nFROM payments\nGROUP BY customer")]
        ])

    doubt = "invoices counts rows of payments, of which one of invoices may have several"
    assert written.doubt == (doubt if is_doubted else "")
