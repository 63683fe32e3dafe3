"""What makes numbers unusable before any statistics: empty arms, impossible moments, units that disappeared."""

from math import isfinite

from labcoat.stats.results import Finding, MetricKind, MetricRule, Moments, Readout, Reason, Role, Rule, Sample

TOLERATED_LOSS = 0.01


def find_data_errors(rule: Rule, sample: Sample, *, last: Readout | None) -> tuple[Reason, ...]:
    """Return why nothing may be concluded from this sample; empty if it can be used.

    Exploratory metrics make no data error: they decide nothing, and their own estimate says what is missing.
    A metric that the sample has no moments of (nobody sent any yet) makes none either.
    """
    reasons = [
        Reason(finding=Finding.ARM_EMPTY, treatment=name)
        for name, units in zip(rule.variants, sample.exposed, strict=True)
        if units == 0
    ]
    for metric in deciding(rule):
        for name, moments in zip(rule.variants, sample.moments.get(metric.name, ()), strict=False):
            finding = arm_error(moments, kind=metric.kind)
            if finding is not None:
                reasons.append(Reason(finding=finding, metric=metric.name, treatment=name))
    loss = lost_share(rule, sample, last=last)
    if loss > TOLERATED_LOSS:
        reasons.append(Reason(finding=Finding.SHRUNK, value=loss))
    return tuple(reasons)


def arm_error(moments: Moments, *, kind: MetricKind) -> Finding | None:
    """Return what is wrong with one variant's moments, None if nothing is.

    A proportion outside 0-1 has a negative variance p (1 - p).
    """
    if moments.count <= 0:
        return Finding.ARM_EMPTY
    if moments.count < 2:
        return Finding.FEW_UNITS_FOR_VARIANCE
    if not (isfinite(moments.mean) and isfinite(moments.variance)):
        return Finding.NOT_FINITE
    if moments.variance < 0 or (kind is MetricKind.PROPORTION and not 0 <= moments.mean <= 1):
        return Finding.NEGATIVE_VARIANCE
    return None


def lost_share(rule: Rule, sample: Sample, *, last: Readout | None) -> float:
    """Return the largest share of an arm's units, exposed or analysed, that disappeared since the last readout."""
    if last is None:
        return 0.0
    before_and_now = list(zip(last.sample_ratio.exposed, sample.exposed, strict=True))
    names = {metric.name for metric in deciding(rule)} & sample.moments.keys()
    for estimate in last.estimates:
        if estimate.metric in names:
            arms = sample.moments[estimate.metric]
            treatment = arms[rule.variants.index(estimate.treatment)]
            before_and_now += [
                (estimate.control_count, arms[0].count),
                (estimate.treatment_count, treatment.count),
            ]
    return max((before - now) / before if before else 0.0 for before, now in before_and_now)


def deciding(rule: Rule) -> tuple[MetricRule, ...]:
    """Return the metrics that a verdict reads: goals and guardrails."""
    return tuple(metric for metric in rule.metrics if metric.role is not Role.SECONDARY)
