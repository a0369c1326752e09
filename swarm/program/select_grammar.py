"""The grammar of one SELECT over one of some tables, in llama.cpp's form (GBNF): no other table, no other column and
no other function can be written, and the columns come out under the names that are asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence

from swarm.program.table_schema import Declared
from swarm.tabular.names import written

AGGREGATES = """
COUNT SUM AVG MIN MAX MEDIAN MODE GROUP_CONCAT LIST CORR STDDEV STDDEV_SAMP STDDEV_POP VARIANCE VAR_SAMP VAR_POP
SKEWNESS KURTOSIS QUANTILE_CONT REGR_SLOPE REGR_INTERCEPT REGR_R2
"""
FUNCTIONS = """
ROUND ABS COALESCE NULLIF IFNULL SUBSTR SUBSTRING INSTR REPLACE LOWER UPPER TRIM LENGTH SPLIT_PART REGEXP_EXTRACT
REGEXP_REPLACE REGEXP_MATCHES STRFTIME DATE YEAR MONTH DAY HOUR DATE_DIFF SQRT POWER LN LOG10 EXP FLOOR CEIL
GREATEST LEAST
"""
"""Those of SQL that models use rightly and that the engine has."""
TYPES = "INTEGER INT BIGINT TEXT VARCHAR REAL DOUBLE FLOAT DECIMAL DATE TIMESTAMP"
_ALWAYS = r"""
nl ::= "\n" " "{0,12}
sp ::= " " | nl
op ::= " "? ("+" | "-" | "*" | "/" | "||" | "%") " "?
cmp ::= " "? ("=" | "<>" | "!=" | "<=" | ">=" | "<" | ">") " "? | " IS DISTINCT FROM " | " IS NOT DISTINCT FROM "
function ::= FUNCTIONS
aggregate ::= AGGREGATES
type ::= TYPES
text ::= "'" [^'\n]* "'"
number ::= "-"? [0-9]+ ("." [0-9]+)?
alias ::= [a-z] [a-z0-9_]{0,30}
limit ::= nl "LIMIT " [1-9] [0-9]{0,4}
"""
_EACH = r"""
query@ ::= items@ nl FROM@ (nl "WHERE " e@p)? (nl "GROUP BY " by@)? (nl "HAVING " e@a)? (nl "ORDER BY " order@)? limit?
sub@ ::= "SELECT " ("DISTINCT ")? e@a (", " e@a)* sp FROM@ (sp "WHERE " e@p)? (sp "GROUP BY " e@p (", " e@p)*)? (sp "HAVING " e@a)? (sp "ORDER BY " e@a (" DESC" | " ASC")?)? (sp "LIMIT " [1-9] [0-9]{0,3})?
by@ ::= named@ (", " named@)*
order@ ::= named@ (" DESC" | " ASC")? (", " named@ (" DESC" | " ASC")?)*
"""
_EXPRESSION = r"""
e~ ::= and~ (sp "OR " and~)*
and~ ::= not~ (sp "AND " not~)*
not~ ::= "NOT "? held~
held~ ::= sum~ (cmp sum~ | " IS " "NOT "? "NULL" | " NOT"? " LIKE " sum~ | " NOT"? " BETWEEN " sum~ " AND " sum~ | " NOT"? " IN (" nl? (sub@ | sum~ (", " sum~)*) nl? ")")?
sum~ ::= term~ (op term~)*
term~ ::= column@ | text | number | call~ | case~ | "NULL" | "(" nl? (sub@ | e~) nl? ")"
case~ ::= "CASE" (" " sum~)? (sp "WHEN " e~ sp "THEN " e~)+ (sp "ELSE " e~)? sp "END"
"""
_CALLS = {
    "a": r"""call~ ::= aggregate "(" ("*" | "DISTINCT "? e@p (", " e@p)*) ")" | function "(" e~ (", " e~)* ")" | "CAST(" e~ " AS " type ")" """,
    "p": r"""call~ ::= function "(" e~ (", " e~)* ")" | "CAST(" e~ " AS " type ")" """,
}
"""An expression with aggregates, as of a result or HAVING, and one without, as of WHERE and inside an aggregate."""


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
        for kind, call in _CALLS.items():
            parts += [
                rule.replace("~", f"@{kind}") for rule in (*_EXPRESSION.strip().splitlines(), call.strip())
            ]
        parts.append(_items(columns, counts=counts))
        parts.append(f"column@ ::= {_any(own)}")
        parts.append(f"named@ ::= e@a{''.join(f' | {_sign(name)}' for name in aliases)}")
        rules += [part.replace("@", str(number)) for part in parts]
    always = (
        _ALWAYS
        .strip()
        .replace("FUNCTIONS", _any(FUNCTIONS.split()))
        .replace("AGGREGATES", _any(AGGREGATES.split()))
    )
    always = always.replace("TYPES", _any(TYPES.split()))
    return "\n".join([*rules, always])


def _items(columns: Sequence[str], *, counts: bool) -> str:
    one = 'nl ("COUNT(" | "SUM(") ("*" | "DISTINCT "? e@p) ")" (op term@a)*' if counts else "nl sum@a"
    if columns:
        return "items@ ::= " + ' "," '.join(f"{one} {_sign(f' AS {written(name)}')}" for name in columns)
    item = f'{one} (" AS " alias)?'
    return f'items@ ::= {item} ("," {item})*'


def _any(names: Sequence[str]) -> str:
    return " | ".join(_sign(name) for name in names)


def _sign(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
