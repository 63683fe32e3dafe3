"""Totals that people and programs send, checked against the plan: every metric and variant known, each once."""

from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType

from labcoat.domain.experiment import Experiment
from labcoat.domain.look import Entry
from labcoat.domain.member import Member, Program
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import Joint, Moments

_NOBODY = Moments(count=0, mean=0.0, variance=0.0)


def entries_of(
    experiment: Experiment,
    totals: Mapping[str, Mapping[str, Moments]],
    *,
    by: Member | Program,
    as_of: datetime,
    now: datetime,
    earlier: Mapping[str, Entry] = MappingProxyType({}),
) -> tuple[Entry, ...]:
    """Return the totals as they are stored, a metric each; raise Refusal for the first thing that is wrong.

    totals: by metric and variant name, in any case; a dropped treatment may be left out, and keeps its earlier totals.
    earlier: the newest entry of each metric.
    """
    plan = experiment.plan
    planned = [plan.metric(name).name for name in totals]
    twice = next((name for place, name in enumerate(planned) if name in planned[:place]), None)
    if twice is not None:
        raise Refusal(Reason.METRIC_TWICE, "metric", name=twice)
    return tuple(
        Entry(
            experiment=experiment.number,
            metric=name,
            as_of=as_of,
            sent_by=None if isinstance(by, Program) else by.user,
            program=by.name if isinstance(by, Program) else None,
            sent_at=now,
            moments=_in_plan_order(by_variant, experiment, metric=name, earlier=earlier.get(name)),
        )
        for name, by_variant in zip(planned, totals.values(), strict=True)
    )


def share(name: str, *, events: int, units: int, field: str) -> Moments:
    """Return a variant's totals of a metric that is yes or no per unit; raise Refusal for more events than units."""
    if events > units:
        raise Refusal(Reason.MORE_EVENTS_THAN_UNITS, field, name=name[:60], events=events, units=units)
    part = events / units if units else 0.0
    return Moments(count=units, mean=part, variance=part * (1 - part))


def mean(*, units: int, mean: float, deviation: float, before: tuple[float, float, float] | None = None) -> Moments:
    """Return a variant's totals of a metric that is any number per unit.

    before: mean and deviation of the same metric before exposure, and its covariance with the value; for CUPED.
    """
    joint = None if before is None else _with_covariate(deviation**2, *before)
    return Moments(count=units, mean=mean, variance=deviation**2, joint=joint)


def _with_covariate(variance: float, mean: float, deviation: float, covariance: float) -> Joint:
    none = (0.0, 0.0, 0.0, 0.0)
    value, covariate = (variance, 0.0, covariance, 0.0), (covariance, 0.0, deviation**2, 0.0)
    return Joint(means=(1.0, mean, 1.0), covariances=(value, none, covariate, none))


def _in_plan_order(
    totals: Mapping[str, Moments], experiment: Experiment, *, metric: str, earlier: Entry | None
) -> tuple[Moments, ...]:
    variants = experiment.plan.variant_names
    known = {name.casefold(): name for name in variants}
    by_name: dict[str, Moments] = {}
    for name, moments in totals.items():
        folded = name.casefold()
        if folded not in known:
            near = get_close_matches(folded[:60], known, n=1)
            nearest, spelled = known[near[0]] if near else None, ", ".join(variants)
            raise Refusal(Reason.NOT_A_PLAN_VARIANT, "totals", name=name[:60], nearest=nearest, known=spelled)
        if folded in by_name:
            raise Refusal(Reason.VARIANT_TWICE, "totals", name=name[:60])
        by_name[folded] = moments
    for place, (folded, name) in enumerate(known.items()):
        if folded not in by_name and name in experiment.dropped_treatments:
            by_name[folded] = earlier.moments[place] if earlier is not None else _NOBODY
        if folded not in by_name:
            raise Refusal(Reason.VARIANT_MISSING, "totals", name=name, metric=metric, known=", ".join(variants))
    return tuple(by_name[folded] for folded in known)
