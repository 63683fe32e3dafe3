"""Treatments that people took out while the others went on: nothing new is read of them, and nothing is forgotten."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labcoat.stats.arrays import FloatArray
from labcoat.stats.results import Estimate, Finding, Readout, Reason, TreatmentVerdict, Verdict
from labcoat.stats.rule import Rule, Sample


def without_dropped(rule: Rule, sample: Sample) -> tuple[Rule, Sample]:
    """Return the rule and the sample of the remaining arms, whose shares add up to 1 again; alpha is not given away."""
    if not rule.dropped:
        return rule, sample
    kept = _kept(rule)
    share = sum(rule.weights[place] for place in kept)
    remaining = replace(
        rule,
        variants=tuple(rule.variants[place] for place in kept),
        weights=tuple(rule.weights[place] / share for place in kept),
        # What confidence sequences are tuned to is fixed before the start.
        planned_units=None if rule.planned_units is None else round(rule.planned_units * share),
    )
    moments = {name: tuple(arms[place] for place in kept) for name, arms in sample.moments.items()}
    return remaining, Sample(exposed=tuple(sample.exposed[place] for place in kept), moments=moments)


def only_remaining(rule: Rule, readout: Readout) -> Readout:
    """Return a readout whose exposed units are those of the remaining arms."""
    split = readout.sample_ratio
    kept = _kept(rule)
    return replace(readout, sample_ratio=replace(split, exposed=tuple(split.exposed[place] for place in kept)))


def counted(rule: Rule, exposed: Sequence[tuple[int, ...]]) -> tuple[FloatArray, FloatArray]:
    """Return the units and shares of the remaining arms at each look, each (len(exposed), n_arms).

    Among themselves they are split as planned from the start, so earlier looks count too, of these arms alone.
    """
    kept = _kept(rule)
    units = np.array(exposed, dtype=np.float64)[:, kept]
    weights = np.array([rule.weights[place] for place in kept])
    return units, np.broadcast_to(weights / weights.sum(), units.shape)


def with_dropped(rule: Rule, readout: Readout, *, past: tuple[Readout, ...]) -> Readout:
    """Return the readout with what dropped treatments' last looks said of them, behind the others."""
    if not rule.dropped:
        return readout
    verdicts, estimates = list(readout.treatments), list(readout.estimates)
    for one in rule.dropped:
        if rule.fixed_cause is not None and one.after_look <= rule.fixed_cause.after_look:
            # What was called before the cause was fixed is void, of a dropped treatment too.
            reason = Reason(finding=Finding.DROPPED, treatment=one.treatment)
            verdicts.append(
                TreatmentVerdict(treatment=one.treatment, verdict=Verdict.INVALID, reasons=(reason,), is_dropped=True)
            )
            continue
        last = next((look for look in reversed(past) if look.look <= one.after_look), None)
        verdicts.append(_last_verdict(last, one.treatment))
        estimates += [] if last is None else [each for each in last.estimates if each.treatment == one.treatment]
    return replace(readout, treatments=tuple(verdicts), estimates=tuple(_in_plan_order(rule, estimates)))


def _last_verdict(last: Readout | None, treatment: str) -> TreatmentVerdict:
    dropped = Reason(finding=Finding.DROPPED, treatment=treatment)
    said = last.find(treatment) if last is not None else None
    if said is None:
        return TreatmentVerdict(treatment=treatment, verdict=Verdict.TOO_EARLY, reasons=(dropped,), is_dropped=True)
    return replace(said, reasons=tuple(dict.fromkeys((*said.reasons, dropped))), is_dropped=True)


def _in_plan_order(rule: Rule, estimates: list[Estimate]) -> list[Estimate]:
    metrics = [metric.name for metric in rule.metrics]
    return sorted(estimates, key=lambda each: (metrics.index(each.metric), rule.variants.index(each.treatment)))


def _kept(rule: Rule) -> list[int]:
    gone = {one.treatment for one in rule.dropped}
    return [place for place, name in enumerate(rule.variants) if name not in gone]
