"""Corrections of totals in words: what was corrected, which looks that undoes, and what the verdict was and is."""

from collections.abc import Sequence
from datetime import datetime

from labcoat.domain.totals_facts import ArmTotals, MetricCorrected, TotalsCorrected
from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind
from labcoat.words import numbers, verdict_words

STILL_THE_SAME = "The totals were corrected since; the verdict is the same."
_ARMS_SAID = 3


def what(correction: TotalsCorrected, variants: Sequence[str]) -> str:
    """Return which totals were corrected and what that undoes, to be read after a name.

    variants: in the plan's order.
    """
    parts = [f"{one.metric}{_numbers(one, variants)}" for one in correction.corrected]
    gone = correction.gone
    looks = numbers.counted(gone, "look no longer counts", "looks no longer count") if gone else "no look rested on it"
    return f"corrected {' and '.join(parts)} of E-{correction.experiment}: {looks}."


def outcome(correction: TotalsCorrected) -> str:
    """Return what the verdicts were and are."""
    found = correction.verdicts
    if len(found) == 1:
        return was_and_is(found[0].before, found[0].after)
    changed = [
        f"{one.treatment}: {was_and_is(one.before, one.after, is_inside=True)}"
        for one in found
        if one.before is not one.after
    ]
    return " ".join(changed) if changed else "The verdicts are the same."


def was_and_is(was: Verdict | None, now: Verdict | None, *, is_inside: bool = False) -> str:
    """Return what a verdict was and is, as one sentence. is_inside: after a name, so that it begins small."""
    if was is now:
        sentence = f"{verdict_words.as_said(now, when='is still')}."
    else:
        after = "now there is no verdict yet" if now is None else f"now {verdict_words.as_said(now, when='is')}"
        sentence = f"{verdict_words.as_said(was, when='was')}; {after}."
    return sentence if is_inside else sentence[0].upper() + sentence[1:]


def note(corrected_at: datetime, zone: str) -> str:
    """Return the note of a card whose newest look is at corrected totals."""
    return f"Corrected on {numbers.day(corrected_at, zone)}"


def _numbers(one: MetricCorrected, variants: Sequence[str]) -> str:
    arms = zip(variants, one.old, one.new, strict=True)
    changed = [f"{_arm(old, new, one.kind)} in {name}" for name, old, new in arms if old != new]
    if not changed:
        return ""
    more = len(changed) - _ARMS_SAID
    shown = "; ".join(changed[:_ARMS_SAID]) + (f"; and {numbers.counted(more, 'more variant')}" if more > 0 else "")
    return f" ({shown})"


def _arm(old: ArmTotals, new: ArmTotals, kind: MetricKind) -> str:
    units = f"{old.count:,} to {new.count:,} units" if old.count != new.count else ""
    if kind is MetricKind.PROPORTION:
        events, true = round(old.count * old.mean), round(new.count * new.mean)
        values = f"{events:,} to {true:,} successes" if events != true else ""
    else:
        mean = f"mean {old.mean:,.6g} to {new.mean:,.6g}" if old.mean != new.mean else ""
        spread = f"deviation {_root(old.variance)} to {_root(new.variance)}" if old.variance != new.variance else ""
        values = ", ".join(one for one in (mean, spread) if one)
    return ", ".join(one for one in (values, units) if one)


def _root(variance: float) -> str:
    return f"{max(variance, 0.0) ** 0.5:,.6g}"
