"""Which columns a task names for a file, and which it names for something else."""

from __future__ import annotations

import pytest

from swarm.planner.task_columns import task_columns

ABC = ["a", "b", "c"]
MARKS = ["file", "line", "kind", "text"]
SALES = ["city", "total", "mean"]

NAMED: dict[str, list[str]] = {
    "Write out.csv with a, b and c.": ABC,
    "Write out.csv (a, b).": ["a", "b"],
    "Compare both. out.csv: a, b. How many are equal?": ["a", "b"],
    "The file out.csv is to be made with the columns a (what it is), b and c (a number).": ABC,
    "out.csv should be filled with the columns a, b": ["a", "b"],
    "Write out.csv with the columns a, b.": ["a", "b"],
    "Write out.csv with the three columns: a, b and c": ABC,
    "out.csv gets the columns a, b for every order that is open.": ["a", "b"],
    "Make out.csv from the logs. It shall have the columns a, b and c: the sums.": ABC,
    "Make out.csv; columns: a, b": ["a", "b"],
    # Kinds of tables
    "Mark what is open on a page, out.csv. Only a Markdown table with file, line, kind, text.": MARKS,
    "I want out.csv with one markdown table: file | line | kind | text": MARKS,
    "I want out.csv as a Markdown table: file, line, kind, text": MARKS,
    "out.csv: a Markdown table (columns file, line, kind, text) of every mark in the sources.": MARKS,
    "out.csv, a table with file, line, kind and text": MARKS,
    "Collect them in out.csv. It should be a table with file, line, kind and text.": MARKS,
    "Put there out.csv: a list of objects with city, total and mean.": SALES,
    "Leave out.csv, a plain CSV file with city, total, mean for each shop.": SALES,
    "out.csv - a table with the columns city, total and mean": SALES,
    "out.csv with a table:\n| city | total | mean |\n": SALES,
    # Ways of parting the names
    "Put them in out.csv (city; total; mean).": SALES,
    "Put them in out.csv (city/total/mean).": SALES,
    "Put them in out.csv (city | total | mean), newest first.": SALES,
    "Save out.csv with columns city/total/mean for each shop.": SALES,
    "Save out.csv: city,total,mean": SALES,
    "Save `out.csv` with `city`, `total` and `mean`.": SALES,
    'Save "out.csv" with the columns "city", "total", "mean".': SALES,
    "Save out.csv with city, total & mean": SALES,
    "Save out.csv with city,\ntotal and mean.": SALES,
    # Called columns
    "Save out.csv, columns city, total and mean": SALES,
    "Save out.csv, columns: city; total; mean.": SALES,
    "Save out.csv, whose columns are city, total and mean.": SALES,
    "Save out.csv with the header row city,total,mean": SALES,
    "Save out.csv with exactly these columns: city, total, mean": SALES,
    "Save out.csv with the fields city, total and mean.": SALES,
    "Save out.csv with three columns called city, total and mean.": SALES,
    "Save it all as out.csv. Columns: city, total, mean.": SALES,
    "Save it all as out.csv. The columns are city, total and mean.": SALES,
    "Save it all as out.csv. Its columns should be: city, total, mean.": SALES,
    "Save it as out.csv containing city, total and mean.": SALES,
    "out.csv with these columns:\n- city\n- total: all that was paid\n- mean (of a day)\n\nThank you.": SALES,
    "out.csv with the columns:\n1. `city`\n2. `total` - all that was paid\n3. `mean`": SALES,
    # Explanations
    "out.csv with day (YYYY-MM-DD), count (how many, without doubles) and note.": ["day", "count", "note"],
    "out.csv (day (YYYY-MM-DD), count (how many))": ["day", "count"],
    "out.csv with the columns day = when it was, count = how many": ["day", "count"],
    "out.csv with columns day, count = how many there were": ["day", "count"],
    "out.csv (day = when it was; count = how many, without doubles)": ["day", "count"],
    "out.csv with day in the form YYYY-MM-DD, count of the visits": ["day", "count"],
    "out.csv with the columns city, total and mean, sorted by mean and city.": SALES,
    "out.csv with city, total and mean, newest first.": SALES,
    "out.csv with columns city, total, mean, one row per city, sorted by mean and total.": SALES,
    "out.csv with city, total and mean for each shop and month.": SALES,
    "out.csv with columns first_day_of_the_month and total": ["first_day_of_the_month", "total"],
    "out.csv with city, total and mean to two decimals.": SALES,
    "out.csv with city, total in whole euros and mean rounded to 2 decimals": SALES,
    "out.csv with city, total and mean, both to two decimals.": SALES,
    "out.csv with city, total, mean, all to the nearest cent.": SALES,
    "out.csv with day as YYYY-MM-DD HH:MM, count.": ["day", "count"],
    # Before the file
    "Make a CSV file with the columns city, total and mean called out.csv.": SALES,
    "Make a table with the columns city, total and mean in out.csv.": SALES,
    "I need a small CSV with columns city, total, mean, named out.csv": SALES,
    "Write the columns city, total and mean to out.csv.": SALES,
    "Write city, total and mean for each shop to out.csv.": SALES,
    "Please save city, total and mean of every shop into `out.csv`": SALES,
    "Draw up a table with the columns city, total and mean and save it as out.csv": SALES,
    "For every shop, put city, total and mean into out.csv.": SALES,
    "Write to out.csv the columns city, total and mean.": SALES,
    "out.csv should contain the columns city, total, mean.": SALES,
    "Write out.csv with one row per shop: city, total, mean.": SALES,
    "Write out.csv with city, total per shop and mean, highest first.": SALES,
    # Later in the task
    "I need out.csv by noon. Make out.csv with city, total and mean.": SALES,
}

NOT_NAMED = [
    "Copy the orders to out.csv without the column note.",
    "Copy the orders to out.csv sorted by the column amount.",
    "Write out.csv. Ignore the columns note and comment of orders.",
    "Write out.csv with the same columns as orders.csv.",
    "Write out.csv with all columns and rows.",
    "Write out.csv. Orders with an empty column status count as open.",
    "Write out.csv. The file old.csv has the columns a, b.",
    "Write out.csv with care.",
    "Write out.csv (again).",
    "Write out.csv (UTF-8, separated by commas).",
    "Write out.csv (not orders.csv, please).",
    "Write out.csv with one row for each customer and their total.",
    "Write out.csv with every open order, every late one and every lost one.",
    "Write out.csv: sort, filter and count.",
    "Write out.csv, sort it, check it and tell me.",
    "Write out.csv, the columns note and comment are to be left out.",
    "Write out.csv, columns note and comment dropped.",
    "Write out.csv. A table with a, b and c is in the handbook.",
    "Write out.csv with the columns that matter.",
    "Write out.csv with the columns of orders and the day.",
    "Write out.csv with a header and rows.",
    "Write out.csv. Be quick, careful and exact.",
    "Write out.csv containing duplicates and errors.",
    "Write out.csv with Straße, Größe und Preis.",
    "Write out.csv with n = how many, mean, both by day.",
    "Write out.csv with total for each city, month and year.",
    "Drop the columns a and b and save the rest to out.csv.",
    "Drop the columns a and b and save it as out.csv.",
    "Convert a table with the columns a and b to out.csv.",
    "Write the total for each month to out.csv.",
    "Write names, letters and labels for each shop to out.csv.",
    "Write a letter, a bill and a note for each shop to out.csv.",
    "Compare names, prices and stock of each shop in out.csv.",
    "Make about.csv with a, b and c.",
    "Make out.csv.bak with a, b and c.",
    "Make old/out.csv with a, b and c.",
    "Append a, b and c to out.csv.",
    "Write out.csv and out.md with the results.",
    "Write out.csv with (a, b and c.",
    "Write out.csv with commas and quotes.",
    "Write out.csv with the columns a, for each shop the total, b.",
    "Write out.csv with the columns a, b, if known, c.",
    "Write out.csv with the columns a and b; also the mean.",
    "Write out.csv with the columns a and b. Add a column c that counts.",
    "Write out.csv with a and b, plus a column for each month.",
    "Write out.csv with a row for Anna and Bob.",
    "Write out.csv with duplicates removed and dates fixed.",
    "Write out.csv (comma, header).",
    "Rename out.csv to x.csv and y.csv.",
    "Write out.csv or tell me why you can't, how and when.",
]


@pytest.mark.parametrize("task", NAMED)
def test_columns_are_those_that_the_task_names_for_the_file(task: str) -> None:
    assert task_columns("out.csv", task) == NAMED[task]


@pytest.mark.parametrize("task", NOT_NAMED)
def test_what_is_not_plainly_a_list_of_columns_is_none(task: str) -> None:
    assert task_columns("out.csv", task) == []


def test_a_page_has_the_columns_of_its_table() -> None:
    task = "List what is to be done on one page, todo.md. Just a Markdown table with file, line, kind, text."

    assert task_columns("todo.md", task) == MARKS


def test_a_page_has_no_columns_where_the_task_speaks_of_its_words() -> None:
    task = "Write the thanks, the news and a greeting for each member to letter.md."

    assert task_columns("letter.md", task) == []


@pytest.mark.parametrize(
    "odd",
    [
        "(" * 50_000,
        "a, " * 30_000,
        "out.csv with " * 4_000,
        "a table with " * 6_000,
        "a | " * 30_000,
        "\n" * 80_000,
    ],
)
@pytest.mark.timeout(20)
def test_a_long_task_is_read_in_time(odd: str) -> None:
    assert task_columns("out.csv", f"Write out.csv with {odd} {odd} out.csv.") == []
