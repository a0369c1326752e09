"""Mails as rows: headers and bodies as their senders meant them."""

from __future__ import annotations

import pytest

from swarm.formed.mails import rows

HEAD = "From: a@x\nSubject: s\n"
BODIES = {
    "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGrüße\n": "Grüße",
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe=\n x\n": "Grüße x",
    "Content-Type: text/plain; charset=x-unknown\nContent-Transfer-Encoding: base64\n\nYWJj\n": "YWJj",
    "Content-Type: text/html\n\n<style>p{}</style><p>Hello&nbsp;<b>you</b> &amp; me</p><p>two</p><script>a<b</script>\n": (
        "Hello you & me\ntwo"
    ),
    "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nYWJj\n": None,
    "Content-Type: multipart/mixed\n\nno boundary\n": "no boundary",
    (
        'Content-Type: multipart/mixed; boundary="B"\n\n--B\nContent-Type: text/html\n\n<p>H</p>\n--B\n'
        "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nATTACHED\n--B--\n"
    ): "H",
    (
        'Content-Type: multipart/alternative; boundary="C"\n\n--C\nContent-Type: text/html\n\n<p>H</p>\n--C\n'
        "Content-Type: text/plain\n\nplain\n--C--\n"
    ): "plain",
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_its_plain_text_or_the_words_of_its_page(body: str) -> None:
    (row,) = rows([("a.eml", HEAD + body)])

    assert row == {
        "file": "a.eml",
        "sender": "a@x",
        "recipient": None,
        "date": None,
        "subject": "s",
        "text": BODIES[body],
    }


def test_headers_are_decoded_and_unfolded() -> None:
    text = (
        "From: =?utf-8?q?J=C3=B6rg?= <j@x>\nTo: a@x,\n b@x\nSubject: =?iso-8859-1?q?Gr=FC=DF?=\n =?utf-8?q?e?=\n"
        "Date: Wed, 9 Sep 2026 05:00:05 +0200\n\nhi\n"
    )

    assert rows([("a.eml", text)]) == [
        {
            "file": "a.eml",
            "sender": "Jörg <j@x>",
            "recipient": "a@x, b@x",
            "date": "2026-09-09 05:00:05+02:00",
            "subject": "Grüße",
            "text": "hi",
        }
    ]


def test_a_header_that_cannot_be_decoded_stays_as_it_is() -> None:
    (row,) = rows([("a.eml", "From: a\nDate: gestern\nSubject: =?x-unknown?q?abc?=\n\nx")])

    assert (row["date"], row["subject"]) == ("gestern", "=?x-unknown?q?abc?=")


def test_a_mailbox_is_parted_at_its_postmarks_alone() -> None:
    mark = "From a@x Wed Sep  9 05:00:05 2026\n"
    text = (
        f"{mark}From: a\nSubject: 1\n\nhi\n>From me\n\nFrom now on we go\n\n{mark}From: b\nSubject: 2\n\nyo\n"
    )

    found = [(row["sender"], row["text"]) for row in rows([("a.mbox", text)])]

    assert found == [("a", "hi\nFrom me\n\nFrom now on we go"), ("b", "yo")]
