"""How numbers are written in a column: with a decimal point or a decimal comma, a currency, a percent sign, brackets.

The patterns are for whole cells, and read by Python and by the engine alike.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

_SPACES = " \u00a0\u202f'’"
"""Signs that group thousands anywhere, and never begin decimals."""
_EXPONENT = "([eE][+-]?[0-9]{1,3})?"


class Style(StrEnum):
    """The sign that begins the decimals; the other one groups thousands."""

    POINT = "."
    COMMA = ","


def _grouping(style: Style) -> str:
    return "." if style is Style.COMMA else ","


def pattern(style: Style) -> str:
    """Return what a number of this style looks like; thousands may be grouped, or not."""
    whole = f"([0-9]{{1,3}}([{_grouping(style)}{_SPACES}][0-9]{{3}})+|[0-9]+)"
    return f"[+-]?({whole}([{style}][0-9]*)?|[{style}][0-9]+){_EXPONENT}"


def certain_pattern(style: Style) -> str:
    """Return what can be meant in this style only: 1.234,5, or 12,5, or 0,125, or 1.234.567, for a decimal comma.

    "1,234" could be either.
    """
    decimal, grouping = f"[{style}]", f"[{_grouping(style)}]"
    return (
        f"[+-]?([0-9]{{1,3}}([{_grouping(style)}{_SPACES}][0-9]{{3}})+{decimal}[0-9]+"
        f"|[0-9]+{decimal}([0-9]{{1,2}}|[0-9]{{4,}})"
        f"|(0|[0-9]{{4,}}){decimal}[0-9]+"
        f"|[0-9]{{1,3}}({grouping}[0-9]{{3}}){{2,}}){_EXPONENT}"
    )


def two_ways_pattern(style: Style) -> str:
    """Return what would be thousands in this style, and decimals in the other one: 1.234, for a decimal comma."""
    return f"[+-]?[1-9][0-9]{{0,2}}[{_grouping(style)}][0-9]{{3}}"


def without_groups(style: Style) -> str:
    """Return the signs to leave out of a number of this style."""
    return f"[{_grouping(style)}{_SPACES}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen in the numbers of a file: where each first was, None for nowhere; a line, or any other sign of it.

    point, comma: what can be meant in that style only. grouped_comma, grouped_point: "1,234" and "1.234".
    """

    point: int | None
    comma: int | None
    grouped_comma: int | None
    grouped_point: int | None

    @property
    def is_mixed(self) -> bool:
        """Whether both styles are certain."""
        return self.point is not None and self.comma is not None

    @property
    def is_proved(self) -> bool:
        """Whether one style is certain, and the other is not."""
        return (self.point is None) != (self.comma is None)

    @property
    def style(self) -> Style:
        """The style, if it is not mixed."""
        return Style.POINT if self.comma is None else Style.COMMA

    def told(self, proved: Collection[Style]) -> Style:
        """Return the style, where the column does not prove it that of the file's other columns. proved: theirs."""
        return next(iter(proved)) if not self.is_proved and len(proved) == 1 else self.style

    def unclear(self, *, separator: str | None, proved: Collection[Style] = ()) -> int | None:
        """Return where a number is that could be thousands as well as decimals; None if that is clear.

        separator: of the columns. A comma that separates columns is no decimal sign: "1,234" is thousands then, and
        "1.234" has decimals. proved: styles of the file's other columns, which decide if they agree.
        """
        if self.point is not None or self.comma is not None or len(proved) == 1:
            return None
        if separator == "," and not proved:
            return None
        found = [place for place in (self.grouped_comma, self.grouped_point) if place is not None]
        return min(found, default=None)


_CURRENCY = "(?i:[$€£¥₹₩]|US[$]|EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CZK|CAD|AUD|NZD|INR|BRL|kr[.]?|zł|Kč|Fr[.])"
_BLANKS = "[ \u00a0\u202f]*"
MARKS: tuple[tuple[str, str], ...] = (
    ("−", "-"),
    (rf"^([(+-]?){_BLANKS}{_CURRENCY}{_BLANKS}", r"\1"),
    (rf"{_BLANKS}({_CURRENCY}|%){_BLANKS}([)]?)$", r"\2"),
    (rf"^[(]{_BLANKS}([0-9][^()]*)[)]$", r"-\1"),
)
"""What is taken off a cell before its digits are read, one after the other: signs, currencies, percent, brackets."""
CURRENCY_PATTERN = f"({_CURRENCY})"
PERCENT_PATTERN = "%[ \u00a0\u202f)]*$"


def bare(cell: str) -> str:
    """Return a number without its currency, its percent sign, and the brackets that stand for a minus.

    >>> [bare(cell) for cell in ("€ 1.234,50", "(12)", "12,5 %", "-$5", "($1,200.00)")]
    ['1.234,50', '-12', '12,5', '-5', '-1,200.00']
    """
    text = cell.strip()
    for wanted, instead in MARKS:
        text = re.sub(wanted, instead, text)
    return text


def refuse_mixed_marks(cells: Sequence[str]) -> str | None:
    """Return what is wrong with the marks of a column's filled cells; None if all have the same.

    >>> refuse_mixed_marks(["5 %", "0.05"])
    'some numbers have a percent sign, others none'
    """
    percent = {bool(re.search(PERCENT_PATTERN, cell)) for cell in cells}
    currencies = {found[0] for cell in cells if (found := re.search(CURRENCY_PATTERN, cell))}
    if len(percent) > 1:
        return "some numbers have a percent sign, others none"
    return "there is more than one currency" if len(currencies) > 1 else None


def seen(cells: Sequence[str]) -> Seen:
    """Return what is seen in these cells, by their places."""

    bared = [bare(cell) for cell in cells]

    def first(wanted: str) -> int | None:
        return next((place for place, cell in enumerate(bared) if re.fullmatch(wanted, cell)), None)

    return Seen(
        point=first(certain_pattern(Style.POINT)),
        comma=first(certain_pattern(Style.COMMA)),
        grouped_comma=first(two_ways_pattern(Style.POINT)),
        grouped_point=first(two_ways_pattern(Style.COMMA)),
    )


def groups_thousands(sign: str, counts: Sequence[str], seen: Seen, *, separator: str | None) -> bool:
    """Whether a point or a comma groups the thousands of counts. seen: in all numbers of the file.

    Counts are whole, so 24.100 has no decimals; 24.000 could, and says nothing.

    >>> nothing = Seen(point=None, comma=None, grouped_comma=None, grouped_point=None)
    >>> [groups_thousands(".", [cell], nothing, separator=";") for cell in ("24.100", "24.000")]
    [True, False]
    """
    if seen.point is not None or seen.comma is not None:
        return not seen.is_mixed and seen.style.value != sign
    grouped = rf"[1-9][0-9]{{0,2}}[{sign}](?!000)[0-9]{{3}}"
    return sign == separator or any(re.fullmatch(grouped, cell) for cell in counts)


def plain(cell: str, style: Style) -> str:
    """Return a number as Python and every engine read it.

    >>> plain("1.234,5", Style.COMMA)
    '1234.5'
    """
    return re.sub(without_groups(style), "", cell.strip()).replace(",", ".")
