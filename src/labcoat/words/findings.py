"""Why a verdict is what it is, in sentences."""

from collections.abc import Mapping, Sequence

from labcoat.domain import verdicts
from labcoat.stats.results import Estimate, Finding, Readout, Reason, TreatmentVerdict
from labcoat.words import numbers

_SENTENCES: Mapping[Finding, str] = {
    Finding.ARM_EMPTY: "{treatment} has no units{on_metric}",
    Finding.FEW_UNITS_FOR_VARIANCE: "a variant has fewer than two units{on_metric}",
    Finding.NOT_FINITE: "there are values that are not numbers{on_metric}",
    Finding.NEGATIVE_VARIANCE: "a variance is negative{on_metric}",
    Finding.SHRUNK: "{percent} of a variant's units disappeared since the last good look",
    Finding.CONSTANT_ARM: "{metric}: every unit of {arm} has the same value, so harm can be seen and a win can't",
    Finding.NEGATIVE_BASELINE: "{metric}: control is below zero, so a change in percent would read the wrong way round; "
    "it is given in the metric's own unit",
    Finding.UNEVEN_ANALYSED: "{metric}: not valid, because the units it was measured on are not split as planned "
    "(p {probability})",
    Finding.NO_VALID_GOAL: "no goal was measured on units that are split as planned",
    Finding.GUARDRAIL_WITHOUT_DATA: "{metric}: no data, so it is not shown safe",
    Finding.EFFECT_MOVED: "{metric}: the newest effect lies outside what all looks together allow",
    Finding.DROPPED: "{treatment} was dropped, and keeps the verdict it had",
    Finding.NO_VARIANCE: "all units have the same value{on_metric}, so no interval can be given",
    Finding.DENOMINATOR_NEAR_ZERO: "{metric}: what it is divided by is too close to zero for a ratio",
    Finding.SMALL_CELL: "{metric}: fewer than 10 of one kind in a variant, so harm can be seen and a win can't",
    Finding.NO_RELATIVE: "{metric}: control is too close to zero for a relative effect",
    Finding.UNEVEN_SPLIT: "chance alone would split it so with p {probability}",
    Finding.SPLIT_WARNING: "the traffic split looks odd (p {probability}): watch it",
    Finding.BAD_SIDE: "{metric}: the whole interval is on the bad side",
    Finding.GOOD_SIDE: "{metric}: the whole interval is on the good side",
    Finding.ABOVE_MINIMUM: "{metric}: all of it is above the smallest effect worth having",
    Finding.GUARDRAIL_OPEN: "{metric}: not yet shown to stay within its margin",
    Finding.INSIDE_MINIMUM: "{metric}: the whole interval is smaller than the effect worth having",
    Finding.FUTILE: "{metric}: even its good end is below the effect worth having",
    Finding.CROSSES_ZERO: "{metric}: the interval contains zero",
    Finding.FEW_DAYS: "fewer than {number} days of data",
    Finding.FEW_UNITS: "{about}only {number} units in a variant",
    Finding.FEW_EVENTS: "{metric}: only {number} events in a variant",
    Finding.CROSSED_EARLIER: "{about}look {number} showed this, and it stands",
}

_ABOUT_A_NUMBER = frozenset({Finding.NO_RELATIVE, Finding.SMALL_CELL})
"""Said beside the number that is missing, not as a reason for the verdict."""


def reason(one: Reason, estimates: Sequence[Estimate] = ()) -> str:
    """Return a finding in words, without a full stop. estimates: of its look, which name a constant arm."""
    value = one.value if one.value is not None else 0.0
    return _SENTENCES[one.finding].format(
        metric=one.metric or "the metric",
        treatment=one.treatment or "a variant",
        arm=_constant_arm(one, estimates) or "one variant",
        on_metric=f" on {one.metric}" if one.metric else "",
        about=f"{one.metric}: " if one.metric else "",
        number=numbers.plain(value),
        percent=numbers.share(value, decimals=1),
        probability=numbers.probability(value),
    )


def _without_implied(given: Sequence[Reason]) -> list[Reason]:
    """Return reasons without that an arm has no units on a metric, where it has none at all."""
    empty = {why.treatment for why in given if why.finding is Finding.ARM_EMPTY and why.metric is None}
    return [
        why for why in given if why.finding is not Finding.ARM_EMPTY or why.metric is None or why.treatment not in empty
    ]


def _without_repeats(said: Sequence[str]) -> list[str]:
    """Return sentences without the metric at their beginning where the one before began with it too."""
    kept = []
    for before, now in zip(("", *said), said, strict=False):
        start, colon, _ = before.partition(": ")
        kept.append(now.removeprefix(f"{start}: ") if colon else now)
    return kept


def _constant_arm(one: Reason, estimates: Sequence[Estimate]) -> str | None:
    mine = (e for e in estimates if e.metric == one.metric and one.treatment in (None, e.treatment))
    return next((estimate.constant_arm for estimate in mine if estimate.constant_arm), None)


def reasons(readout: Readout, one: TreatmentVerdict | None = None) -> str:
    """Return why a treatment's verdict is what it is, as one sentence; empty without reasons.

    one: None for the one that comes first.
    """
    given = _without_implied((one or verdicts.leading(readout)).reasons)
    said = list(dict.fromkeys(reason(why, readout.estimates) for why in given if why.finding not in _ABOUT_A_NUMBER))
    if not said:
        return ""
    sentence = "; ".join(_without_repeats(said))
    starts_with_name = any(name and sentence.startswith(name) for why in given for name in (why.metric, why.treatment))
    return (sentence if starts_with_name else sentence[0].upper() + sentence[1:]) + "."
