"""How numbers, days and times are written: effect with interval and unit, rounded so that they agree with the verdict."""

import math
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from labcoat.stats.results import Estimate
from labcoat.stats.rule import MetricKind

_MOST_DECIMALS = 8
LARGEST_LIFT = 10.0
"""+1,000 %: a relative interval that reaches further, or below -100 %, tells nobody anything; the difference does."""


def count(value: int) -> str:
    """Return a whole number with its thousands apart.

    >>> count(44700)
    '44,700'
    """
    return f"{value:,}"


def roughly(value: int) -> str:
    """Return a whole number as precisely as a forecast deserves.

    >>> roughly(121192), roughly(87)
    ('121,000', '87')
    """
    digits = len(str(abs(value)))
    return f"{round(value, 3 - digits):,}" if digits > 3 else f"{value:,}"


def plain(value: float) -> str:
    """Return a number without needless digits.

    >>> plain(2.0), plain(0.125)
    ('2', '0.125')
    """
    return f"{value:,.6g}" if abs(value) < 999_999.5 else f"{value:,.0f}"


def days(value: float) -> str:
    """Return a number of days, in words.

    >>> days(1), days(2.5)
    ('1 day', '2.5 days')
    """
    return f"{plain(value)} day" if value == 1 else f"{plain(value)} days"


def counted(value: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "piece"), counted(2, "hypothesis", "hypotheses")
    ('1 piece', '2 hypotheses')
    """
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence.

    >>> listed(["orders"]), listed(["orders", "revenue", "refunds"])
    ('orders', 'orders, revenue and refunds')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def person_days(value: float) -> str:
    """Return an investment.

    >>> person_days(3)
    '3 person-days'
    """
    return f"{plain(value)} person-day" if value == 1 else f"{plain(value)} person-days"


def share(value: float, *, decimals: int = 2) -> str:
    """Return a proportion of 0-1 as percent.

    >>> share(0.190201)
    '19.02 %'
    """
    return f"{100 * value:.{decimals}f} %"


def mean(value: float, kind: MetricKind, *, format_: str | None = None) -> str:
    """Return a variant's mean in the metric's unit; a proportion as percent.

    format_: with {} where the number goes; None for the number alone.

    >>> mean(41.234, MetricKind.MEAN, format_="€ {}")
    '€ 41.23'
    """
    if kind is MetricKind.PROPORTION:
        return share(value)
    return in_format(f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}", format_)


def in_format(number: str, format_: str | None) -> str:
    """Return a number as its metric is written, with the sign in front of everything.

    >>> in_format("-1.20", "€ {}"), in_format("3", None)
    ('-€ 1.20', '3')
    """
    if format_ is None:
        return number
    sign = number[:1] if number[:1] in "+-" else ""
    return sign + format_.replace("{}", number[len(sign) :])


def probability(value: float) -> str:
    """Return a p-value.

    >>> probability(0.00862), probability(1e-9)
    ('0.0086', 'below 0.0001')
    """
    return "below 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def with_interval(value: float, low: float, high: float, *, decimals: int | None = None) -> tuple[str, str, str]:
    """Return an estimate and its interval's ends with the decimals that the width deserves.

    An end that is not 0 is never written as 0, and none changes its side of 0: what is read agrees with the verdict.
    decimals: for more of them.

    >>> with_interval(-0.8194, -1.3282, -0.3107)
    ('-0.82', '-1.33', '-0.31')
    >>> with_interval(5.0, 0.003, 10.0)
    ('+5.000', '+0.003', '+10.000')
    """
    decimals = _decimals(low, high) if decimals is None else decimals
    has_side = low > 0 or high < 0
    return (
        _signed(value, decimals, may_be_zero=not has_side),
        _signed(low, decimals, may_be_zero=False),
        _signed(high, decimals, may_be_zero=False),
    )


def _decimals(low: float, high: float) -> int:
    width = high - low
    decimals = 0 if width / 2 <= 0 else min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(width / 2))))
    while decimals < _MOST_DECIMALS and any(end != 0 and round(end, decimals) == 0 for end in (low, high)):
        decimals += 1
    return decimals


def _signed(value: float, decimals: int, *, may_be_zero: bool) -> str:
    text = f"{value:+,.{decimals}f}"
    if float(text.replace(",", "")) != 0:
        return text
    return text.lstrip("+-") if may_be_zero or value == 0 else f"{value:+.0e}"


def lift(estimate: Estimate, *, of: str = "", note: str = "") -> str | None:
    """Return the relative effect as "+1.8 % orders per user (0.4 to 3.2)", None without a relative interval that tells anything.

    of: the metric's name, "" to leave it out. note: what is said of the interval, beside it.
    """
    if estimate.lift is None or estimate.lift_low is None or estimate.lift_high is None:
        return None
    if estimate.lift_low < -1 or estimate.lift_high > LARGEST_LIFT:  # the ratio's interval is near its limit
        return None
    shown = (100 * estimate.lift, 100 * estimate.lift_low, 100 * estimate.lift_high)
    return _said(with_interval(*shown), unit=" %", of=of, note=note)


def difference(estimate: Estimate, *, of: str = "", format_: str | None = None, note: str = "") -> str | None:
    """Return the absolute effect as "-0.82 points (-1.33 to -0.31)", None where no number can be given.

    format_: of the metric's values, as "€ {}".
    """
    if estimate.difference is None or estimate.low is None or estimate.high is None:
        return None
    return change(estimate.difference, estimate.low, estimate.high, estimate.kind, of=of, format_=format_, note=note)


def change(
    value: float,
    low: float,
    high: float,
    kind: MetricKind,
    *,
    of: str = "",
    format_: str | None = None,
    note: str = "",
    decimals: int | None = None,
) -> str:
    """Return a difference with its interval, in the metric's unit; of a proportion in points.

    >>> change(-0.003, -0.011, 0.005, MetricKind.PROPORTION)
    '-0.30 points (-1.10 to 0.50)'
    """
    scale, unit, format_ = _unit(kind, format_)
    shown = with_interval(scale * value, scale * low, scale * high, decimals=decimals)
    return _said(shown, unit=unit, of=of, format_=format_, note=note)


def _unit(kind: MetricKind, format_: str | None) -> tuple[float, str, str | None]:
    return (100.0, " points", None) if kind is MetricKind.PROPORTION else (1.0, "", format_)


def against(
    estimate: Estimate, size: float, *, of: str = "", format_: str | None = None, note: str = ""
) -> tuple[str, str] | None:
    """Return the absolute effect, and a margin or smallest effect in the same unit; None where there is no number.

    Both have as many decimals as keep each end of the interval on its side of the size.
    """
    if estimate.difference is None or estimate.low is None or estimate.high is None:
        return None
    scale, unit, format_ = _unit(estimate.kind, format_)
    ends, limit = (scale * estimate.low, scale * estimate.high), scale * size
    decimals = _decimals(*ends)
    while decimals < _MOST_DECIMALS and not _are_apart(ends, limit, decimals):
        decimals += 1
    said = change(
        estimate.difference,
        estimate.low,
        estimate.high,
        estimate.kind,
        of=of,
        format_=format_,
        note=note,
        decimals=decimals,
    )
    return said, f"{in_format(f'{limit:,.{decimals}f}', format_)}{unit}"


def _are_apart(ends: tuple[float, float], limit: float, decimals: int) -> bool:
    written = round(limit, decimals)
    if abs(written - limit) > 0.005 * limit:
        return False
    sides = ((end, side) for end in ends for side in (limit, -limit))
    return all(
        (end > side) == (round(end, decimals) > round(side, decimals))
        and (end < side) == (round(end, decimals) < round(side, decimals))
        for end, side in sides
    )


def effect(estimate: Estimate, *, of: str = "", format_: str | None = None, note: str = "") -> str | None:
    """Return the effect in one expression: relative where that is possible, else absolute."""
    return lift(estimate, of=of, note=note) or difference(estimate, of=of, format_=format_, note=note)


def _said(written: tuple[str, str, str], *, unit: str, of: str, format_: str | None = None, note: str = "") -> str:
    shown, from_, to = (in_format(number, format_) for number in written)
    name = f"{' in' if unit == ' points' else ''} {of}" if of else ""
    more = f", {note}" if note else ""
    return f"{shown}{unit}{name} ({from_.lstrip('+')} to {to.lstrip('+')}{more})"


def day(moment: datetime, zone: str) -> str:
    """Return the local day, as "Mon 23 Nov"."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b}"


def iso_day(moment: datetime, zone: str) -> str:
    """Return the local day as Slack's date pickers take it, as "2026-11-23"."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def day_of_year(moment: datetime, zone: str) -> str:
    """Return the local day with its year, as "1 Jan 2017"."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y}"


def day_and_time(moment: datetime, zone: str) -> str:
    """Return the local day and time, as "Mon 23 Nov 09:30"."""
    return f"{day(moment, zone)} {moment.astimezone(ZoneInfo(zone)):%H:%M}"


def in_sentence(text: str) -> str:
    """Return what a person wrote so that it reads inside a sentence: no full stop, no capital unless it is a name's.

    >>> in_sentence("People told us so."), in_sentence("NDCG fell"), in_sentence("I saw it")
    ('people told us so', 'NDCG fell', 'I saw it')
    """
    line = " ".join(text.split()).rstrip(".")
    is_plain_word = len(line) > 1 and line[1].islower()
    return line[0].lower() + line[1:] if is_plain_word else line


def as_sentence(text: str) -> str:
    """Return what a person wrote so that another sentence can follow.

    >>> as_sentence("Translate the filters"), as_sentence("Why not?")
    ('Translate the filters.', 'Why not?')
    """
    return text if text.rstrip()[-1:] in (".", "!", "?", "…") else f"{text.rstrip()}."


def shortened(text: str, longest: int) -> str:
    """Return the text in one line, cut at a word with an ellipsis if it is longer.

    >>> shortened("Rank fresh offers first", 12)
    'Rank fresh…'
    """
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.;:") + "…"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return a table for the terminal: a line a row, its columns as wide as their longest cell.

    >>> aligned([("metric", "units"), ("clicks", "3")])
    'metric  units\\nclicks  3'
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
