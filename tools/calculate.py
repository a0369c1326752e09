"""The native tool for exact arithmetic with numbers, percentages and times.

An expression is read by a small parser of its own, never by ``eval``; numbers are fractions, so
that 0.1 + 0.2 is 0.3, and their size is bounded, so that no expression can hang.
"""

from __future__ import annotations

import decimal
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pydantic import JsonValue

from swarm import ToolError, ToolResult, tool

MOST_CHARACTERS = 4_000
MOST_BITS = 4_000
"""Of a numerator or denominator: about 1,200 digits."""
MOST_DEPTH = 40
SIGNIFICANT_DIGITS = 15
"""Of a number that has no short decimal form, as of a double."""

TOKEN = re.compile(
    r"(?P<thousands>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?)"
    r"|(?P<word>[a-z]+)|(?P<sign>\*\*|//|[=!<>]=|[-+*/%^(),<>=])|(?P<space>[\s$€£\[\]_]+)"
)
SIGNS = str.maketrans({
    "\u00d7": "*",
    "\u00b7": "*",
    "\u00f7": "/",
    "\u2212": "-",
    "\u2013": "-",
    "^": "**",
    "\u2264": "<=",
    "\u2265": ">=",
})
"""Signs as people and models write them: multiplication, division, minus, dash, comparisons."""
SECONDS = {
    "ms": (Fraction(1, 1000), "ms millisecond milliseconds"),
    "s": (Fraction(1), "s sec secs second seconds"),
    "min": (Fraction(60), "min mins minute minutes"),
    "h": (Fraction(3600), "h hr hrs hour hours"),
    "days": (Fraction(86_400), "d day days"),
    "weeks": (Fraction(604_800), "w wk week weeks"),
}
"""Units of time by the name they are shown under: seconds and spellings."""
UNITS = {spelling: unit for unit, (_, spellings) in SECONDS.items() for spelling in spellings.split()}
COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Quantity:
    """A number, or a time in seconds with the unit it was written in."""

    value: Fraction
    unit: str = ""
    is_percent: bool = False


@tool(effect="pure")
def calculate(expression: str) -> ToolResult:
    """Calculate exactly: + - * / **, 20% of 350, sum min max mean round abs sqrt, 90 min + 2 h in hours."""
    if len(expression) > MOST_CHARACTERS:
        raise ToolError(f"the expression has over {MOST_CHARACTERS} characters; calculate it in parts")
    parser = _Parser(expression)
    try:
        return parser.answer()
    except ZeroDivisionError:
        raise ToolError(f"{expression!r} divides by zero") from None


class _Parser:
    """Reads an expression once, from left to right, and calculates while it reads."""

    def __init__(self, expression: str) -> None:
        self._tokens = _tokens(expression)
        self._at = 0
        self._depth = 0
        self._calls = 0

    def answer(self) -> ToolResult:
        left = self._sum()
        sign = self._take(*COMPARISONS)
        if sign and not (sign == "=" and self._peek() == ""):
            return self._compared(left, sign, self._sum())
        wanted = self._next() if self._take("in", "to", "as") else ""
        if self._peek():
            raise ToolError(f"cannot read on at {self._peek()!r}; write one expression like (3 + 4) * 2")
        return _converted(left, wanted) if wanted else _told(left, left.unit)

    def _compared(self, left: Quantity, sign: str, right: Quantity) -> ToolResult:
        difference = _added(left, right, -1)
        is_true = COMPARISONS[sign](difference.value, Fraction(0))
        text = "true" if is_true else f"false; the difference is {_told(difference, difference.unit).text}"
        return ToolResult(text=text, data=is_true)

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, *tokens: str) -> str:
        """The next token where it is one of these, else nothing."""
        return self._next() if self._peek() in tokens and self._peek() else ""

    def _sum(self) -> Quantity:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise ToolError(f"the expression is nested over {MOST_DEPTH} deep; calculate it in parts")
        left = self._product()
        while sign := self._take("+", "-"):
            right = self._product()
            factor = 1 if sign == "+" else -1
            if right.is_percent and not left.is_percent:
                left = Quantity(left.value * (1 + factor * right.value), left.unit)
            else:
                left = _added(left, right, factor)
        self._depth -= 1
        return left

    def _product(self) -> Quantity:
        left = self._signed()
        while sign := self._take("*", "/", "//", "of", "%", "mod"):
            left = _multiplied(left, sign, self._signed())
        return left

    def _signed(self) -> Quantity:
        signs = 0
        while sign := self._take("+", "-"):
            signs += sign == "-"
        power = self._power()
        return power if signs % 2 == 0 else Quantity(-power.value, power.unit, power.is_percent)

    def _power(self) -> Quantity:
        bases = [self._measured()]
        while self._take("**"):
            is_negative = bool(self._take("-"))
            exponent = self._measured()
            bases.append(Quantity(-exponent.value if is_negative else exponent.value, exponent.unit))
        result = bases.pop()
        while bases:
            result = _raised(bases.pop(), result)
        return result

    def _measured(self) -> Quantity:
        """A value with its unit or percent sign; ``1 h 30 min`` is one value."""
        value = self._value()
        if self._peek() == "%" and not re.match(r"[\d.(]", self._peek(1)):
            self._at += 1
            return Quantity(value.value / 100, value.unit, is_percent=True)
        total = self._timed(value)
        while total.unit and re.match(r"[\d.]", self._peek()) and self._peek(1) in UNITS:
            total = _added(total, self._timed(self._value()), 1)
        return total

    def _timed(self, value: Quantity) -> Quantity:
        if self._peek() not in UNITS:
            return value
        unit = UNITS[self._next()]
        if value.unit:
            raise ToolError(f"{unit!r} follows a value that has a unit already")
        return Quantity(value.value * SECONDS[unit][0], unit)

    def _value(self) -> Quantity:
        token = self._next()
        if token == "(":
            inner = self._sum()
            self._close()
            return inner
        if token in FUNCTIONS:
            return self._called(token)
        if not re.match(r"[\d.]", token):
            raise ToolError(_unreadable(token))
        if "," in token and self._calls:
            raise ToolError(
                f"{token!r} can be one number or several; write {token.replace(',', '')} or "
                f"{token.replace(',', ', ')}"
            )
        return Quantity(_bounded(Fraction(token.replace(",", ""))))

    def _called(self, name: str) -> Quantity:
        if not self._take("("):
            raise ToolError(f"{name} needs brackets, as in {name}(1, 2)")
        self._calls += 1
        values = [self._sum()]
        while self._take(","):
            values.append(self._sum())
        self._calls -= 1
        self._close()
        return FUNCTIONS[name](values)

    def _close(self) -> None:
        if not self._take(")"):
            raise ToolError(f"a ')' is missing before {self._peek() or 'the end'!r}")


def _tokens(expression: str) -> list[str]:
    text = expression.translate(SIGNS).lower().strip()
    tokens: list[str] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ToolError(f"cannot read {text[at]!r} in {expression!r}")
        if match.lastgroup != "space":
            tokens.append("%" if match[0] in {"percent", "pct"} else match[0])
        at = match.end()
    if not tokens:
        raise ToolError("the expression is empty; write one like 12.5 * 4")
    return tokens


def _unreadable(token: str) -> str:
    if token in {"month", "months", "year", "years"}:
        return f"{token} differ in length; use the tool dates for them"
    if not token:
        return "the expression ends too early"
    known = ", ".join([*FUNCTIONS, *SECONDS])
    return f"cannot read {token!r}; there are numbers, + - * / ** % ( ) and {known}"


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise ToolError("the number becomes too large to calculate exactly")
    return value


def _added(left: Quantity, right: Quantity, factor: int) -> Quantity:
    if bool(left.unit) != bool(right.unit):
        raise ToolError("a time and a plain number cannot be added or compared; give both a unit")
    value = _bounded(left.value + factor * right.value)
    return Quantity(value, left.unit, left.is_percent and right.is_percent)


def _multiplied(left: Quantity, sign: str, right: Quantity) -> Quantity:
    if sign in {"*", "of"}:
        if left.unit and right.unit:
            raise ToolError("two times cannot be multiplied")
        return Quantity(_bounded(left.value * right.value), left.unit or right.unit)
    if right.unit and not left.unit:
        raise ToolError("a number cannot be divided by a time; leave the units out")
    unit = left.unit if not right.unit or sign in {"%", "mod"} else ""
    if sign == "/":
        return Quantity(_bounded(left.value / right.value), unit)
    if bool(left.unit) != bool(right.unit):
        raise ToolError(f"{sign} needs two numbers or two times")
    whole = Fraction(left.value // right.value)
    return Quantity(whole if sign == "//" else left.value - whole * right.value, unit)


def _raised(base: Quantity, exponent: Quantity) -> Quantity:
    if base.unit or exponent.unit:
        raise ToolError("a time cannot be raised to a power")
    if exponent.value == Fraction(1, 2):
        return _root([base])
    if exponent.value.denominator != 1:
        raise ToolError("a power must be a whole number; there is sqrt for the square root")
    bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
    if bits > 1 and bits * abs(exponent.value.numerator) > MOST_BITS + bits:
        raise ToolError("the number becomes too large to calculate exactly")
    if bits <= 1 and abs(exponent.value) > 1:
        # Only 0, 1 and -1: only whether the power is even counts, however large it is.
        exponent = Quantity(2 - exponent.value % 2 if exponent.value > 0 else exponent.value % 2 - 2)
    return Quantity(Fraction(base.value) ** exponent.value.numerator)


def _root(values: Sequence[Quantity]) -> Quantity:
    value = _only(values, "sqrt").value
    if value < 0:
        raise ToolError("a negative number has no square root")
    roots = [math.isqrt(part) for part in (value.numerator, value.denominator)]
    exact = Fraction(*roots)
    if exact * exact == value:
        return Quantity(exact)
    with decimal.localcontext(prec=40):
        return Quantity(Fraction((decimal.Decimal(value.numerator) / value.denominator).sqrt()))


def _only(values: Sequence[Quantity], name: str) -> Quantity:
    if len(values) != 1 or (name == "sqrt" and values[0].unit):
        raise ToolError(f"{name} takes one number")
    return values[0]


def _summed(values: Sequence[Quantity]) -> Quantity:
    total = values[0]
    for value in values[1:]:
        total = _added(total, value, 1)
    return total


def _mean(values: Sequence[Quantity]) -> Quantity:
    total = _summed(values)
    return Quantity(total.value / len(values), total.unit)


def _extreme(values: Sequence[Quantity], pick: Callable[..., Quantity]) -> Quantity:
    _summed(values)  # Refuses times beside numbers.
    return pick(values, key=_value_of)


def _value_of(quantity: Quantity) -> Fraction:
    return quantity.value


def _rounded(values: Sequence[Quantity]) -> Quantity:
    """Rounds halves away from zero, as people do; the second number counts the decimals."""
    first, *rest = values
    digits = rest[0].value if rest else Fraction(0)
    if len(rest) > 1 or digits.denominator != 1 or not -50 <= digits <= 50:
        raise ToolError("round takes a number and how many decimals, as in round(2.345, 2)")
    unit = SECONDS[first.unit][0] if first.unit else Fraction(1)
    step = Fraction(10) ** -int(digits) * unit
    halves = abs(first.value) / step + Fraction(1, 2)
    return Quantity(math.floor(halves) * step * (-1 if first.value < 0 else 1), first.unit)


def _edge(values: Sequence[Quantity], name: str, edge: Callable[[Fraction], int]) -> Quantity:
    value = _only(values, name)
    unit = SECONDS[value.unit][0] if value.unit else Fraction(1)
    return Quantity(edge(value.value / unit) * unit, value.unit)


FUNCTIONS: dict[str, Callable[[Sequence[Quantity]], Quantity]] = {
    "sum": _summed,
    "min": lambda values: _extreme(values, min),
    "max": lambda values: _extreme(values, max),
    "mean": _mean,
    "average": _mean,
    "round": _rounded,
    "abs": lambda values: Quantity(abs(_only(values, "abs").value), values[0].unit),
    "sqrt": _root,
    "floor": lambda values: _edge(values, "floor", math.floor),
    "ceil": lambda values: _edge(values, "ceil", math.ceil),
}


def _converted(quantity: Quantity, wanted: str) -> ToolResult:
    if wanted == "%" and not quantity.unit:
        number = quantity.value * 100
        return ToolResult(text=f"{_decimal(number)}%", data=_json(number))
    if wanted not in UNITS or not quantity.unit:
        raise ToolError(f"{wanted!r} is no unit for this; times are in {', '.join(SECONDS)}")
    return _told(quantity, UNITS[wanted])


def _told(quantity: Quantity, unit: str) -> ToolResult:
    if not unit:
        return ToolResult(text=_decimal(quantity.value), data=_json(quantity.value))
    number = quantity.value / SECONDS[unit][0]
    mixed = _mixed(quantity.value)
    plain = f"{_decimal(number)} {unit}"
    return ToolResult(text=plain if mixed in {"", plain} else f"{plain} ({mixed})", data=_json(number))


def _mixed(seconds: Fraction) -> str:
    """A time of whole minutes as hours and minutes, where it has both."""
    hours, minutes = divmod(abs(seconds) / 60, 60)
    if minutes.denominator != 1 or not minutes or not hours:
        return ""
    return f"{'-' if seconds < 0 else ''}{hours} h {minutes} min"


def _decimal(value: Fraction) -> str:
    """A number in full where its decimals end soon, else to 15 digits."""
    places = 0
    while places <= SIGNIFICANT_DIGITS and (value * 10**places).denominator != 1:
        places += 1
    if places == 0:
        return str(value.numerator)
    with decimal.localcontext(prec=MOST_BITS if places <= SIGNIFICANT_DIGITS else SIGNIFICANT_DIGITS):
        number = decimal.Decimal(value.numerator) / value.denominator
        return f"{number:f}" if -20 < number.adjusted() < 20 else f"{number:e}"


def _json(value: Fraction) -> JsonValue:
    if value.denominator == 1:
        return value.numerator
    try:
        return float(value)
    except OverflowError:
        return _decimal(value)
