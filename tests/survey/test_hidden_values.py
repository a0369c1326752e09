"""Values that look like credentials never get into a prompt, and what is none stays readable."""

from __future__ import annotations

import pytest

from swarm.survey.concealed import Concealer

HIDDEN = {
    'api_key = "q8Zt-secretive"': 'api_key = "***"',
    "password: hunter22": "password: ***",
    '  "clientSecret": "abcdefg",': '  "clientSecret": "***",',
    "DB_PASS=hunter22 # local": "DB_PASS=*** # local",
    "Password: correct horse battery": "Password: ***",
    "Authorization: Bearer abcdefghijklmnopqrstuvwxyz": "Authorization: Bearer ***",
    "curl -H 'X: Bearer a1b2c3d4e5f6g7h8'": "curl -H 'X: Bearer ***'",
    "see https://ana:pw12@example.org/x": "see https://***@example.org/x",
    "get https://example.org/?key=a1b2c3d4e5f6g7h8": "get https://example.org/?key=***",
    "postgresql://u:p@h/db": "postgresql://***@h/db",
    "token ghp_0123456789abcdefghijABCDEFGHIJ012345 used": "token *** used",
    "id AKIAIOSFODNN7EXAMPLE here": "id *** here",
    "<password>hunter22</password>": "<password>***</password>",
    "x eyJhbGciOi.eyJzdWIiOiIx.abcdef y": "x *** y",
    "raw 9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c z": "raw *** z",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nend": "***\nend",
    "-----BEGIN PRIVATE KEY-----\nMIIE cut off": "***",
}
SHOWN = [
    "author = 'Ana Maria'",
    "passengers: 12345678 people",
    "max_tokens = 4096",
    "token_count: thousand",
    "key: the second of the month",
    "password = ${DB_PASSWORD}",
    "id 550e8400-e29b-41d4-a716-446655440000",
    "meeting-2024-01-03-protocol-of-the-board",
    "/usr/local/lib/python3/site-packages/abc",
    "def test_a_step_2_of_3_that_failed_is_tried_again(): ...",
    "--hash=sha256:065665c041c42a5938ed220bdcd7230f22527fbec085e1853d2402c8a3615d9d",
    "https://example.org/path?page=2&sort=name",
    "12:00:01 started 3 workers",
    "| Kettle | 5,50 |",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_what_looks_like_a_credential_is_hidden_and_counted(text: str) -> None:
    concealer = Concealer()

    assert concealer.text(text) == HIDDEN[text]
    assert concealer.hidden == 1


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_no_credential_stays(text: str) -> None:
    concealer = Concealer()

    assert concealer.text(text) == text
    assert concealer.hidden == 0


def test_in_source_code_an_expression_is_no_value() -> None:
    concealer = Concealer()
    code = 'token = read_token(path)\nfor key in keys: pass\nsecret = "abcdefgh"\n'

    assert (
        concealer.text(code, is_source=True)
        == 'token = read_token(path)\nfor key in keys: pass\nsecret = "***"\n'
    )


def test_of_a_list_of_variables_no_value_is_left_whatever_its_form() -> None:
    text = (
        "A=1\nexport B = two words\nC: x\nmachine h login u password p\nstray-value-alone\n# note\nD='a\nb'\n"
    )

    told = Concealer().listed(text)

    assert told.splitlines() == [
        "A=***",
        "export B = ***",
        "C: ***",
        "machine ***",
        "***",
        "# note",
        "D=***",
        "***",
    ]
