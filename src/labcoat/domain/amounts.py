"""Numbers and effects as people type them: read once, at the edge of the rules, with the field to blame."""

import re
from dataclasses import dataclass

from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import MetricKind

LARGEST_COUNT = 10**12
"""Units; above it a count is a typing mistake, and below it sums stay exact in a double."""

_GROUPED = re.compile(r"^[+-]?\d{1,3}([ ,_'’\u202f\u00a0]\d{3})+$")
_EFFECT = re.compile(r"^(?P<number>[+-]?[\d.,]+)\s*(?P<unit>%|percent|points?|pp|pts?)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A size of effect. is_relative: a share of the baseline (0.05 = 5 %), else in the metric's own unit."""

    size: float
    is_relative: bool

    def absolute(self, baseline: float | None) -> float | None:
        """Return it in the metric's unit, None if it is relative and the baseline is unknown.

        >>> Amount(size=0.05, is_relative=True).absolute(0.2)
        0.010000000000000002
        """
        if not self.is_relative:
            return self.size
        return None if baseline is None else abs(self.size * baseline)


def read_number(text: str, *, field: str) -> float:
    """Return a finite number; a decimal comma and grouped thousands are understood.

    Raises Refusal NOT_A_NUMBER, naming the field.

    >>> read_number("1,200", field="n"), read_number("0,5", field="n")
    (1200.0, 0.5)
    """
    cleaned = text.strip()
    if _GROUPED.match(cleaned) and not cleaned.startswith(("0,", "-0,", "+0,")):
        cleaned = re.sub(r"[^\d+-]", "", cleaned)
    elif cleaned.count(",") == 1 and "." not in cleaned:
        cleaned = cleaned.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", cleaned, re.IGNORECASE | re.ASCII):
        raise Refusal(Reason.NOT_A_NUMBER, field, text=text.strip()[:60])
    value = float(cleaned)
    if abs(value) > float(LARGEST_COUNT):
        raise Refusal(Reason.TOO_LARGE, field, text=text.strip()[:60])
    return value


def read_count(text: str, *, field: str) -> int:
    """Return a whole number from 0 to LARGEST_COUNT; raise Refusal for anything else."""
    value = read_number(text, field=field)
    if value < 0:
        raise Refusal(Reason.NEGATIVE, field, text=text.strip()[:60])
    if value != int(value):
        raise Refusal(Reason.NOT_A_NUMBER, field, text=text.strip()[:60])
    return int(value)


def read_positive(text: str, *, field: str, largest: float = 100_000) -> float:
    """Return a number above 0 and at most `largest`; raise Refusal for anything else."""
    value = read_number(text, field=field)
    if value <= 0:
        raise Refusal(Reason.NOT_POSITIVE, field, text=text.strip()[:60])
    if value > largest:
        raise Refusal(Reason.TOO_LARGE, field, text=text.strip()[:60])
    return value


def read_days(text: str, *, field: str) -> float:
    """Return person-days or days, 0 or more; raise Refusal for anything else."""
    value = read_number(text, field=field)
    if value < 0:
        raise Refusal(Reason.NEGATIVE, field, text=text.strip()[:60])
    if value > 100_000:
        raise Refusal(Reason.TOO_LARGE, field, text=text.strip()[:60])
    return value


def read_effect(text: str, *, kind: MetricKind, field: str) -> Amount:
    """Return a size of effect: "5 %" of the baseline, "0.5 points" of a proportion, or a bare number in its unit.

    Raises Refusal NOT_AN_EFFECT for "lots", and NOT_POSITIVE for nothing.

    >>> read_effect("5 %", kind=MetricKind.MEAN, field="effect")
    Amount(size=0.05, is_relative=True)
    >>> read_effect("0.5 points", kind=MetricKind.PROPORTION, field="effect")
    Amount(size=0.005, is_relative=False)
    """
    match = _EFFECT.match(text.strip())
    if match is None:
        raise Refusal(Reason.NOT_AN_EFFECT, field, text=text.strip()[:60])
    size = read_positive(match["number"].lstrip("+-"), field=field)
    match (match["unit"] or "").lower():
        case "%" | "percent":
            return Amount(size=size / 100, is_relative=True)
        case "":
            if kind is MetricKind.PROPORTION and size >= 1:
                raise Refusal(Reason.NOT_AN_EFFECT, field, text=text.strip()[:60])
            return Amount(size=size, is_relative=False)
        case _ if kind is MetricKind.PROPORTION and size < 100:
            return Amount(size=size / 100, is_relative=False)
        case _:
            raise Refusal(Reason.NOT_AN_EFFECT, field, text=text.strip()[:60])


def read_baseline(text: str, *, kind: MetricKind, field: str) -> float | None:
    """Return the control's expected value, a proportion as "19 %" or "0.19"; None if the text is empty."""
    cleaned = text.strip()
    if not cleaned:
        return None
    is_percent = cleaned.endswith("%")
    value = read_number(cleaned.removesuffix("%"), field=field) / (100 if is_percent else 1)
    if kind is MetricKind.PROPORTION and not 0 < value < 1:
        raise Refusal(Reason.NOT_A_NUMBER, field, text=cleaned[:60])
    return value
