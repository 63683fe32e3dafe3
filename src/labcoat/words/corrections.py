"""Corrections of totals in words: what was corrected, which looks that undoes, and what the verdict was and is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind
from labcoat.words import numbers, verdict_words

STILL_THE_SAME = "The totals were corrected since; the verdict is the same."
_ARMS_SAID = 3
_Arm = Sequence[Any]
"""Units, mean and variance of a variant."""


def what(details: Mapping[str, Any], variants: Sequence[str]) -> str:
    """Return which totals of an experiment were corrected and what that undoes, to be read after a name.

    details: of a notice of a correction. variants: in the plan's order.
    """
    parts = [f"{one['metric']}{_numbers(one, variants)}" for one in details["corrected"]]
    gone = int(details["gone"])
    looks = numbers.counted(gone, "look no longer counts", "looks no longer count") if gone else "no look rested on it"
    return f"corrected {' and '.join(parts)} of E-{details['experiment']}: {looks}."


def outcome(details: Mapping[str, Any]) -> str:
    """Return what the verdicts were and are. details: as of `what`."""
    found = [(str(name), _verdict(was), _verdict(now)) for name, was, now in details["verdicts"]]
    if len(found) == 1:
        return was_and_is(*found[0][1:])
    changed = [f"{name}: {was_and_is(was, now, is_inside=True)}" for name, was, now in found if was is not now]
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


def _numbers(one: Mapping[str, Any], variants: Sequence[str]) -> str:
    kind = MetricKind(one["kind"])
    arms = zip(variants, one["old"], one["new"], strict=True)
    changed = [f"{_arm(old, new, kind)} in {name}" for name, old, new in arms if old != new]
    if not changed:
        return ""
    more = len(changed) - _ARMS_SAID
    shown = "; ".join(changed[:_ARMS_SAID]) + (f"; and {numbers.counted(more, 'more variant')}" if more > 0 else "")
    return f" ({shown})"


def _arm(old: _Arm, new: _Arm, kind: MetricKind) -> str:
    units = f"{old[0]:,} to {new[0]:,} units" if old[0] != new[0] else ""
    if kind is MetricKind.PROPORTION:
        events, true = round(old[0] * old[1]), round(new[0] * new[1])
        values = f"{events:,} to {true:,} successes" if events != true else ""
    else:
        mean = f"mean {old[1]:,.6g} to {new[1]:,.6g}" if old[1] != new[1] else ""
        spread = f"deviation {_root(old[2])} to {_root(new[2])}" if old[2] != new[2] else ""
        values = ", ".join(one for one in (mean, spread) if one)
    return ", ".join(one for one in (values, units) if one)


def _root(variance: float) -> str:
    return f"{max(variance, 0.0) ** 0.5:,.6g}"


def _verdict(word: object) -> Verdict | None:
    return None if word is None else Verdict(str(word))
