"""The grammar of one SELECT over one of some tables, in llama.cpp's form (GBNF): no other table, no other column and
no other function can be written, and the columns come out under the names that are asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence

from swarm.program.schema import Declared
from swarm.tabular.names import written

FUNCTIONS = [
    "COUNT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "MEDIAN",
    "ROUND",
    "ABS",
    "COALESCE",
    "NULLIF",
    "IFNULL",
    "SUBSTR",
    "SUBSTRING",
    "INSTR",
    "REPLACE",
    "LOWER",
    "UPPER",
    "TRIM",
    "LENGTH",
    "SPLIT_PART",
    "REGEXP_EXTRACT",
    "REGEXP_REPLACE",
    "REGEXP_MATCHES",
    "STRFTIME",
    "DATE",
    "YEAR",
    "MONTH",
    "DAY",
    "HOUR",
    "CAST",
    "GROUP_CONCAT",
    "LIST",
    "DATE_DIFF",
    "CORR",
    "STDDEV",
    "STDDEV_SAMP",
    "STDDEV_POP",
    "VARIANCE",
    "VAR_SAMP",
    "VAR_POP",
    "SKEWNESS",
    "KURTOSIS",
    "QUANTILE_CONT",
    "MODE",
    "REGR_SLOPE",
    "REGR_INTERCEPT",
    "REGR_R2",
    "SQRT",
    "POWER",
    "LN",
    "LOG10",
    "EXP",
    "FLOOR",
    "CEIL",
    "GREATEST",
    "LEAST",
]
"""Those of SQL that models use rightly and that the engine has."""
WORDS = [
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "LIKE",
    "BETWEEN",
    "TRUE",
    "FALSE",
]
_ALWAYS = r"""
nl ::= "\n" " "{0,8}
s ::= " " | nl | " "? op " "?
op ::= "+" | "-" | "*" | "/" | "||" | "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=" | "%"
word ::= WORDS | "IS DISTINCT FROM" | "IS NOT DISTINCT FROM"
function ::= FUNCTIONS
text ::= "'" [^'\n]* "'"
number ::= "-"? [0-9]+ ("." [0-9]+)?
alias ::= [a-z] [a-z0-9_]{0,30}
limit ::= nl "LIMIT " [1-9] [0-9]{0,4}
"""
_EACH = r"""
query@ ::= items@ nl FROM@ (nl "WHERE " e@)? (nl "GROUP BY " by@)? (nl "HAVING " e@)? (nl "ORDER BY " order@)? limit?
sub@ ::= "SELECT " ("DISTINCT ")? es@ " " FROM@ (" WHERE " e@)? (" GROUP BY " es@)? (" HAVING " e@)?
e@ ::= t@ (s t@)*
es@ ::= e@ (", " e@)*
by@ ::= named@ (", " named@)*
order@ ::= named@ (" DESC" | " ASC")? (", " named@ (" DESC" | " ASC")?)*
t@ ::= column@ | word | call@ | text | number | "(" inner@ ")"
call@ ::= function "(" ("*" | "DISTINCT "? inner@) ")"
inner@ ::= sub@ | e@ (" AS " [A-Z]+)? (", " e@)*
"""


def select_grammar(
    tables: Sequence[Declared], columns: Sequence[str], *, thought: str = "", counts: bool = False
) -> str:
    """The grammar of what follows ``SELECT``, or of what follows a thought's first words.

    ``columns``: the names that the result's columns have; any number of them under any name where there are none.
    ``thought``: the rule of a remark that comes before the SELECT.
    ``counts``: whether one row of counts and sums is asked for.
    """
    queries = " | ".join(f"query{number}" for number in range(len(tables)))
    rules = [f'root ::= {thought} ({queries}) "\\n```"']
    for number, table in enumerate(tables):
        own = [written(name) for name in table.columns]
        aliases = [written(name) for name in columns if written(name) not in own]
        parts = _EACH.strip().replace("FROM@", _sign(f"FROM {written(table.name)}")).splitlines()
        parts.append(_items(columns, counts=counts))
        parts.append(f"column@ ::= {_any(own)}")
        parts.append(f"named@ ::= e@{''.join(f' | {_sign(name)}' for name in aliases)}")
        rules += [part.replace("@", str(number)) for part in parts]
    always = _ALWAYS.strip().replace("WORDS", _any(WORDS)).replace("FUNCTIONS", _any(FUNCTIONS))
    return "\n".join([*rules, always])


def _items(columns: Sequence[str], *, counts: bool) -> str:
    one = 'nl ("COUNT(" | "SUM(") ("*" | inner@) ")" (s t@)*' if counts else "nl e@"
    if columns:
        return "items@ ::= " + ' "," '.join(f"{one} {_sign(f' AS {written(name)}')}" for name in columns)
    item = f'{one} (" AS " alias)?'
    return f'items@ ::= {item} ("," {item})*'


def _any(names: Sequence[str]) -> str:
    return " | ".join(_sign(name) for name in names)


def _sign(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
