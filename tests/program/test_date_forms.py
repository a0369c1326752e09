"""Which form a task says that dates have, and which candidates are ruled out for another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from swarm.nouns.plan import Step
from swarm.program.checks import Promise, faults
from swarm.program.clauses import MOST_PLACES
from swarm.program.contents import separated
from swarm.program.date_forms import DateForm, date_form_faults
from swarm.program.decimals import roundings
from swarm.survey import Survey
from tests.program.conftest import Ran

ISO, TIMED, POINTS, STROKES = "2026-09-01", "2026-09-01 10:30:00", "01.09.2026", "09/01/2026"
HEAD = "Write out.csv with day and n"

WANTED: dict[str, dict[str, list[str]]] = {
    "Write out.csv with day (YYYY-MM-DD) and n.": {
        "right": [ISO, "", "unknown"],
        "wrong": [TIMED, POINTS, STROKES],
    },
    "Write out.csv (day (YYYY-MM-DD), n).": {
        "right": [ISO],
        "wrong": [TIMED, "2026/09/01", "1 September 2026"],
    },
    "Write out.csv with the columns day (in the form DD.MM.YYYY), n.": {
        "right": [POINTS],
        "wrong": [ISO, TIMED],
    },
    "Write out.csv with day as dd.mm.yyyy and n.": {"right": [POINTS], "wrong": [ISO, "1.9.2026"]},
    "Write out.csv with day as YYYY-MM-DD HH:MM, n.": {"right": ["2026-09-01 10:30"], "wrong": [ISO, TIMED]},
    "Write out.csv with day as MM/DD/YYYY, n.": {"right": [STROKES], "wrong": [ISO]},
    f"{HEAD}. Dates as YYYY-MM-DD.": {"right": [ISO], "wrong": [POINTS]},
    f"{HEAD}. Write all dates in the form YYYY-MM-DD.": {"right": [ISO], "wrong": [POINTS]},
    f"{HEAD}. Days must be given as `YYYY-MM-DD`.": {"right": [ISO], "wrong": [TIMED]},
    f"{HEAD}. Columns: day (YYYY-MM-DD), n (how many).": {"right": [ISO], "wrong": [TIMED]},
    "Convert the dates from DD.MM.YYYY to YYYY-MM-DD in out.csv.": {"right": [ISO], "wrong": [POINTS, TIMED]},
    f"For each day (YYYY-MM-DD) count the visits. {HEAD}.": {"right": [ISO, POINTS], "wrong": []},
    "For each day (YYYY-MM-DD) count the visits and write day and n to out.csv.": {
        "right": [ISO],
        "wrong": [POINTS],
    },
    f"{HEAD}; dates must be DD.MM.YYYY.": {"right": [POINTS], "wrong": [ISO]},
    # Of something else, or of what is there
    HEAD: {"right": [ISO, TIMED, POINTS, STROKES], "wrong": []},
    f"The lines of logs begin with YYYY-MM-DD HH:MM:SS. {HEAD}.": {
        "right": [ISO, TIMED, POINTS],
        "wrong": [],
    },
    f"Each line begins with the day (DD/MM/YYYY). {HEAD}.": {"right": [ISO, POINTS], "wrong": []},
    f"Lines: day (DD/MM/YYYY) | place | minutes. {HEAD}.": {"right": [ISO, POINTS], "wrong": []},
    f"Read visits.csv (day (DD/MM/YYYY), place). {HEAD}.": {"right": [ISO, POINTS], "wrong": []},
    f"{HEAD} from visits.csv, which has the day as DD.MM.YYYY.": {"right": [ISO, POINTS], "wrong": []},
    f"{HEAD}. Days in visits.csv are written as DD.MM.YYYY.": {"right": [ISO, POINTS], "wrong": []},
    f"{HEAD} from the files logs/YYYY-MM-DD.log.": {"right": [ISO, POINTS, TIMED], "wrong": []},
    f"Dates in the notes look like DD/MM/YYYY; {HEAD}.": {"right": [ISO, POINTS], "wrong": []},
    f"The notes have dates in many forms (DD/MM/YYYY and YYYY-MM-DD). {HEAD}.": {
        "right": [ISO, POINTS],
        "wrong": [],
    },
    f"Find all dates of the form DD.MM.YYYY. {HEAD}.": {"right": [ISO, POINTS], "wrong": []},
    f"Leave out lines that do not begin with YYYY-MM-DD HH:MM. {HEAD}.": {
        "right": [ISO, POINTS],
        "wrong": [],
    },
    f"{HEAD} from the files named YYYY-MM-DD.log.": {"right": [ISO, POINTS, TIMED], "wrong": []},
    f"{HEAD}, day as YYYY-MM-DD or day as DD.MM.YYYY.": {"right": [ISO, POINTS], "wrong": []},
    f"{HEAD}. Tell me the first day as DD.MM.YYYY.": {"right": [ISO, POINTS], "wrong": []},
    f"{HEAD}. Write other.csv with day as DD.MM.YYYY.": {"right": [ISO], "wrong": []},
    f"{HEAD}. The month of the bill is to be given as MM.YYYY.": {"right": [ISO, POINTS], "wrong": []},
}


def told(task: str, value: str, column: str = "day") -> list[str]:
    rows = separated(f"{column},n\n{value},2\n", ",")
    return date_form_faults("out.csv", rows, task, ["out.csv", "other.csv"])


@pytest.mark.parametrize("task", WANTED)
def test_dates_of_another_form_than_the_task_says_are_told(task: str) -> None:
    said = {value: told(task, value) for value in (*WANTED[task]["right"], *WANTED[task]["wrong"])}

    assert [value for value, found in said.items() if found] == WANTED[task]["wrong"]


def test_a_sentence_says_what_is_there_what_is_wanted_and_how_to_get_it() -> None:
    assert told("Write out.csv with day (YYYY-MM-DD) and n.", TIMED) == [
        "out.csv: 'day' holds '2026-09-01 10:30:00', with a time of day; the task asks for YYYY-MM-DD: cut the time with"
        " date(day)"
    ]
    assert told("Write out.csv with day (YYYY-MM-DD) and n.", POINTS) == [
        "out.csv: 'day' holds '01.09.2026', and the task asks for YYYY-MM-DD: row['day'] = date(row['day']) gives it,"
        " for each row"
    ]
    assert told("Write out.csv with day (DD.MM.YYYY) and n.", ISO) == [
        "out.csv: 'day' holds '2026-09-01', and the task asks for DD.MM.YYYY: strftime('%d.%m.%Y', x) in SQL gives it,"
        " with x as YYYY-MM-DD or with a time"
    ]
    assert told("Write out.csv with day (DD.MM.YYYY) and n.", f"{POINTS} 10:30") == [
        "out.csv: 'day' holds '01.09.2026 10:30', with a time of day; the task asks for DD.MM.YYYY: cut the time with"
        " substr(day, 1, 10)"
    ]
    assert told("Write out.csv with day (DD.MM.YYYY) and n.", STROKES) == [
        "out.csv: 'day' holds '09/01/2026', and the task asks for DD.MM.YYYY:"
        " datetime.date.fromisoformat(date(row['day'])).strftime('%d.%m.%Y') gives it, for each row"
    ]


def test_dates_of_a_column_of_another_name_count_where_it_is_named_or_the_only_one() -> None:
    assert told("Write out.csv with paid (YYYY-MM-DD) and n.", POINTS, "paid")
    assert told("Write out.csv with paid and n, dates as YYYY-MM-DD.", POINTS, "paid")
    assert not told("Write out.csv with paid and n, dates as YYYY-MM-DD.", "12", "paid")


@pytest.mark.parametrize(
    ("form", "code", "date"),
    [
        ("YYYY-MM-DD", "%Y-%m-%d", "2026-09-01"),
        ("YYYY-MM-DD HH:MM", "%Y-%m-%d %H:%M", "2026-09-01 10:30"),
        ("YYYY-MM-DDTHH:MM:SS", "%Y-%m-%dT%H:%M:%S", "2026-09-01T10:30:00"),
        ("DD/MM/YY", "%d/%m/%y", "01/09/26"),
        ("YYYYMMDD", "%Y%m%d", "20260901"),
    ],
)
def test_a_form_is_one_of_strftime(form: str, code: str, date: str) -> None:
    assert DateForm(form).code == code
    assert DateForm(form).pattern.fullmatch(date)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "odd",
    [
        "(" * 50_000,
        "day YYYY-MM-DD " * 5_000,
        "to two decimals " * 5_000,
        "a.b/" * 20_000,
        "a" * 60_000,
        "a." * 30_000,
    ],
)
def test_a_long_task_is_read_in_time(odd: str) -> None:
    task = f"Write out.csv with day and n, {odd} {odd[:9_000]} x to two decimals, day as YYYY-MM-DD."

    assert told(task, ISO) == []
    assert len(roundings(task, ["out.csv"])) <= MOST_PLACES


TASK = "Count the visits of a day from visits.csv into out.csv with day ({form}) and n."
TABLES = [{"name": "visits", "pattern": "visits.csv"}]
QUERY = "SELECT {day} AS day, COUNT(*) AS n FROM visits GROUP BY 1"
SAVED = f'save("out.csv", sql("""{QUERY}"""))'
ROWS = f'''
rows = sql("""{QUERY}""")
for row in rows:
    row["day"] = {{way}}
save("out.csv", rows)
'''
IN_POINTS = "strftime('%d.%m.%Y', seen)"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("form", "program", "fault"),
    [
        ("YYYY-MM-DD", SAVED.format(day="seen"), "cut the time with date(day)"),
        ("YYYY-MM-DD", SAVED.format(day=IN_POINTS), "row['day'] = date(row['day']) gives it"),
        ("YYYY-MM-DD", SAVED.format(day="date(seen)"), ""),
        ("YYYY-MM-DD", ROWS.format(day=IN_POINTS, way="date(row['day'])"), ""),
        ("DD.MM.YYYY", SAVED.format(day="seen"), "strftime('%d.%m.%Y', x)"),
        ("DD.MM.YYYY", SAVED.format(day=IN_POINTS), ""),
        ("DD.MM.YYYY", SAVED.format(day="strftime('%d/%m/%Y', seen)"), "fromisoformat"),
        (
            "DD.MM.YYYY",
            ROWS.format(day="seen", way="datetime.date.fromisoformat(date(row['day'])).strftime('%d.%m.%Y')"),
            "",
        ),
        ("YYYY-MM-DD HH:MM", SAVED.format(day="date(seen)"), "'%Y-%m-%d %H:%M'"),
        ("YYYY-MM-DD HH:MM", SAVED.format(day="strftime('%Y-%m-%d %H:%M', seen)"), ""),
    ],
)
async def test_a_candidate_with_another_form_of_dates_is_ruled_out(
    ran: Ran, workspace: Path, form: str, program: str, fault: str
) -> None:
    lines = "seen,place\n2026-09-01 10:30:00,pool\n2026-09-01 11:00:00,gym\n"
    (workspace / "visits.csv").write_text(lines, encoding="utf-8")
    outcome = await ran(program, tables=TABLES, is_lenient=True)
    task = TASK.format(form=form)
    step = Step(id="count", agent="programmer", brief=task)
    promise = Promise(step, task, Survey(paths=("visits.csv",)), ("out.csv",))
    found = faults(outcome, promise)

    assert outcome.error == ""
    assert len(found) == bool(fault)
    assert fault in "".join(found)
    by_hand = replace(promise, step=step.model_copy(update={"program": program}))
    assert faults(outcome, by_hand) == []
