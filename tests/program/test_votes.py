"""Comparing what programs leave, and choosing among them: what is said counts, and never how; and nothing that
differs is taken for the same."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.nouns.tool import ToolCall
from swarm.program.contents import canonical, contents, is_hollow, words
from swarm.program.outcome import Left, Outcome
from swarm.program.vote import Ballot, choose, is_decided

SAME: dict[str, tuple[str, str, str]] = {
    "rows in another order": ("a.csv", "a,b\n1,2\n3,4\n", "a,b\n3,4\n1,2\n"),
    "columns in another order and case": ("a.csv", "Name,sum\nx,1\n", "SUM, name\n1,x\n"),
    "numbers spelled otherwise": ("a.csv", "a\n1.50\n3.0\n1e-05\n", "a\n1.5\n3\n0.00001\n"),
    "sums of floats": ("a.json", "[0.30000000000000004]", "[0.3]"),
    "gaps": ("a.csv", 'a,b\n1,""\n', "a,b\n1,\n"),
    "quotes and spaces": ("a.csv", 'a\n"x  y"\n', "a\nx y\n"),
    "json keys in another order": ("a.json", '{"a": 1, "B": [2]}', '{"b": [2.0], "A": 1}'),
    "nested rows in another order": ("a.json", '{"r": [{"x": 1}, {"x": 2}]}', '{"r": [{"x": 2}, {"x": 1}]}'),
    "lines of json": ("a.jsonl", '{"a": 1}\n{"a": 2}\n', '{"a": 2}\n\n{"a": 1}\n'),
    "spaces of a text": ("a.txt", "one  two\n\nthree\n", "one two\nthree"),
}
DIFFERENT: dict[str, tuple[str, str, str]] = {
    "a value of another row": ("a.csv", "n,v\na,1\nb,2\n", "n,v\na,2\nb,1\n"),
    "a row twice": ("a.csv", "a\n1\n1\n", "a\n1\n"),
    "long numbers": ("a.csv", "id\n4006381333931\n", "id\n4006381333932\n"),
    "large sums": ("a.csv", "sum\n1234567890123.45\n", "sum\n1234567890123.46\n"),
    "very long numbers": ("a.json", "[" + "9" * 500 + "]", "[" + "9" * 499 + "8]"),
    "ids with noughts": ("a.csv", "zip\n01234\n", "zip\n1234\n"),
    "ids that look like powers": ("a.csv", "id\n1e5\n", "id\n100000\n"),
    "column names by case": ("a.csv", "a,A\n1,2\n", "a,A\n2,1\n"),
    "keys by case": ("a.json", '{"a": 2, "A": 1}', '{"a": 2}'),
    "true and one": ("a.json", "[true]", "[1]"),
    "true and a text": ("a.json", "[true]", '["true"]'),
    "an object and a number": ("a.json", '[{"number": "5"}]', "[5]"),
    "lists in another order": ("a.json", "[1, 2]", "[2, 1]"),
    "a table and its parts": ("a.json", '[{"a": 1}]', '{"columns": ["a"], "rows": [[1]]}'),
    "another column": ("a.csv", "a\n1\n", "b\n1\n"),
    "lines put together": ("a.txt", "a\nb\n", "a b\n"),
}


@pytest.mark.parametrize("case", SAME)
def test_two_ways_of_writing_the_same_compare_equal(case: str) -> None:
    name, one, other = SAME[case]

    assert canonical(contents(name, one)) == canonical(contents(name, other))


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_contents_never_compare_equal(case: str) -> None:
    name, one, other = DIFFERENT[case]

    assert canonical(contents(name, one)) != canonical(contents(name, other))


def test_texts_that_say_the_same_agree_whatever_small_words_they_have() -> None:
    assert words("Ann has 3 and Bob has 4.") == words("Bob: 4, Ann: 3")
    assert words("The total is 1,234.50") == words("total: 1234.5")
    assert words("Ann has 3, Bob 4") != words("Ann has 4, Bob 3")
    assert words("pool, 12 visits") != words("gym, 12 visits")
    assert words("yes") != words("no")


@pytest.mark.parametrize(
    "found", [None, "", "0", 0, 0.0, [], {}, [0, ""], {"a": 0}, contents("a.csv", "a,b\n1,0\n2,0.00\n")]
)
def test_what_is_nothing_but_noughts_is_hollow(found: JsonValue) -> None:
    assert is_hollow(found)
    assert not is_hollow([0, 1])


def said(number: int, answer: JsonValue, *faults: str) -> Ballot:
    return Ballot(number, Outcome(answer=answer, has_answer=True), faults)


def saved(number: int, text: str, answer: JsonValue = None) -> Ballot:
    files = {"a.csv": Left.of(text.encode(), "")}
    return Ballot(number, Outcome(files=files, answer=answer, has_answer=answer is not None))


ONE, TWO, THREE = "v\n1\n", "v\n2\n", "v\n3\n"


@pytest.mark.parametrize(
    ("ballots", "winner", "agreeing", "doubt"),
    [
        ([saved(1, ONE), saved(2, ONE)], 1, 2, ""),
        ([saved(1, ONE), saved(2, TWO), saved(3, TWO)], 2, 2, ""),
        ([saved(1, ONE), saved(2, TWO), saved(3, THREE)], None, 1, "unsure: 3 of 3 programs came to an end, and no two"),
        ([said(1, None, "bad"), said(2, None, "worse")], None, 0, "none of 2 programs came to a usable end: 1: bad"),
        ([said(1, 3, "bad"), said(2, 4)], 2, 1, "only one of 2 programs came to a usable end"),
        ([said(1, 0), said(2, 0)], 1, 2, "the answer came out empty or zero"),
        ([said(1, 0), said(2, 0), said(3, 5)], 3, 1, "only one of 3 programs"),
        ([saved(1, ONE), saved(2, ONE), saved(3, TWO), saved(4, TWO)], 1, 2, "as many programs agree on something else"),
        ([saved(1, ONE, "Ann"), saved(2, ONE, "Bob")], 1, 2, "the programs agree on the files and not on the answer"),
        ([saved(1, ONE, "Bob"), saved(2, ONE, "Ann"), saved(3, ONE, "Ann")], 2, 3, ""),
        ([saved(1, ONE), saved(2, ONE, "Ann")], 2, 2, ""),
        ([said(1, "pool"), said(2, "gym")], None, 1, "unsure"),
        ([said(1, "pool"), said(2, "The answer is: pool")], 1, 2, ""),
        ([said(1, "pool, 12"), said(2, "gym, 12")], 1, 2, "the programs agree on the numbers and not on the words"),
        ([said(1, 7), said(2, "7")], 1, 2, ""),
    ],
)  # fmt: skip
def test_the_largest_class_that_agrees_is_taken_and_doubts_are_told(
    ballots: list[Ballot], winner: int | None, agreeing: int, doubt: str
) -> None:
    choice = choose(ballots, 2)

    assert (choice.winner.number if choice.winner else None, choice.agreeing) == (winner, agreeing)
    assert choice.of == len(ballots)
    assert choice.doubt.startswith(doubt)
    assert bool(choice.doubt) == bool(doubt)


def test_wishes_are_compared_by_their_arguments() -> None:
    def wished(number: int, amount: float) -> Ballot:
        call = ToolCall(tool="mail.send", args={"to": "Ann", "amount": amount})
        return Ballot(number, Outcome(wishes=(call,)))

    same = choose([wished(1, 3), wished(2, 3.0)], 2)
    other = choose([wished(1, 3), wished(2, 4)], 2)

    assert (same.agreeing, same.doubt) == (2, "")
    assert other.winner is None


def test_one_program_is_enough_where_one_was_asked_for() -> None:
    assert choose([said(1, 3)], 1).winner is not None
    assert choose([said(1, 3, "bad")], 1).doubt == "bad"


def test_candidates_are_asked_for_until_more_agree_than_on_anything_else() -> None:
    first = [saved(1, ONE), saved(2, ONE)]
    tied = [*first, saved(3, TWO), saved(4, TWO)]

    assert is_decided(first, 2)
    assert not is_decided(tied, 2)
    assert is_decided([*tied, saved(5, TWO)], 2)
    assert not is_decided([said(1, "pool"), said(2, "gym")], 2)


def drawn(value: int, way: str, number: int) -> Ballot:
    return Ballot(number, Outcome(answer=value, has_answer=True), way=way)


def test_a_mistake_that_one_way_makes_again_and_again_is_not_beyond_doubt() -> None:
    alike = [drawn(1, "query", number) for number in range(1, 5)]
    ballots = [*alike, drawn(2, "program", 5), Ballot(6, Outcome(error="x"), ("x",), "program")]

    election = choose(ballots, 2)

    assert not is_decided(ballots, 2)
    assert election.winner is alike[0]
    assert election.doubt == "only 4 of 6 programs agree, all of them written in one way"


def test_two_ways_that_agree_are_beyond_doubt() -> None:
    ballots = [drawn(1, "query", 1), drawn(2, "query", 2), drawn(1, "program", 3), drawn(3, "program", 4)]

    assert is_decided(ballots, 2)
    assert (choose(ballots, 2).winner, choose(ballots, 2).doubt) == (ballots[0], "")


def test_two_prompts_for_queries_over_the_same_tables_are_one_way() -> None:
    queries = [drawn(1, way, number) for number, way in enumerate(("select", "select again", "select"), 1)]

    assert not is_decided(queries, 2)
    assert (
        choose(queries, 2).doubt
        == "only 3 of 3 programs agree, and all of them are queries over the same tables"
    )
    assert is_decided([*queries, drawn(1, "program", 4)], 2)


def test_of_one_way_most_must_agree() -> None:
    few = [drawn(1, "program", 1), drawn(1, "program", 2), drawn(2, "program", 3), drawn(3, "program", 4)]

    assert choose(few, 2).doubt == "only 2 of 4 programs agree"
    assert not is_decided(few, 2)
    assert choose([*few[:2], few[2]], 2).doubt == ""


def test_two_ways_of_which_few_agree_are_not_beyond_doubt() -> None:
    ballots = [drawn(1, "query", 1), drawn(1, "program", 2), *(drawn(n, "query", n) for n in range(3, 8))]

    assert choose(ballots, 2).doubt == "only 2 of 7 programs agree"
    assert not is_decided(ballots, 2)


def test_an_answer_beside_a_file_needs_both_ways_too() -> None:
    file = {"a.csv": Left(before="", text="a\n1\n")}
    twelve = [Ballot(n, Outcome(answer=12, has_answer=True, files=file), way="query") for n in (1, 2)]
    other = Ballot(3, Outcome(answer=13, has_answer=True, files=file), way="program")

    assert choose([*twelve, other], 2).doubt == "the programs agree on the files and not on the answer"
