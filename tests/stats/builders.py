"""Plans, samples and estimates for tests: state only what matters."""

from collections.abc import Mapping, Sequence

import numpy as np

from labcoat.stats import effects, readout
from labcoat.stats.arrays import FloatArray
from labcoat.stats.effects import Effect
from labcoat.stats.results import Estimate, NoLook, Readout, SampleRatio
from labcoat.stats.rule import Design, Direction, MetricKind, MetricRule, Moments, Role, Rule, Sample

EVEN_SPLIT = SampleRatio(exposed=(5000, 5000), weights=(0.5, 0.5), p_value=1.0, log_bayes_factor=0.0, chi_square_p=1.0)


def a_metric(
    name: str = "orders",
    *,
    role: Role = Role.GOAL,
    kind: MetricKind = MetricKind.PROPORTION,
    direction: Direction = Direction.UP,
    minimum_effect: float | None = 0.01,
    margin: float = 0.0,
    is_complete: bool = False,
) -> MetricRule:
    return MetricRule(
        name=name,
        role=role,
        kind=kind,
        direction=direction,
        minimum_effect=minimum_effect,
        margin=margin,
        is_complete_at_exposure=is_complete,
    )


def a_guardrail(
    name: str = "refunds", *, margin: float = 0.0, direction: Direction = Direction.UP, is_complete: bool = False
) -> MetricRule:
    return a_metric(
        name, role=Role.GUARDRAIL, direction=direction, minimum_effect=None, margin=margin, is_complete=is_complete
    )


def a_rule(
    *metrics: MetricRule,
    design: Design = Design.GROUP_SEQUENTIAL,
    alpha: float = 0.05,
    planned_days: float = 28,
    variants: tuple[str, ...] = ("control", "treatment"),
    window_days: float = 0.0,
    planned_units: int | None = None,
) -> Rule:
    return Rule(
        design=design,
        alpha=alpha,
        planned_days=planned_days,
        variants=variants,
        weights=(1 / len(variants),) * len(variants),
        metrics=metrics or (a_metric(),),
        window_days=window_days,
        planned_units=planned_units,
    )


def events(count: int, *, of: int) -> Moments:
    return Moments(count=of, mean=count / of, variance=count / of * (1 - count / of))


def values(mean: float, *, sd: float, of: int) -> Moments:
    return Moments(count=of, mean=mean, variance=sd * sd)


def a_sample(*arms: Moments, exposed: tuple[int, ...] | None = None, **more: tuple[Moments, ...]) -> Sample:
    """Arms of the metric "orders", control first; more metrics by name."""
    return Sample(exposed=exposed or tuple(arm.count for arm in arms), moments={"orders": arms, **more})


def an_estimate(
    low: float | None,
    high: float | None,
    *,
    metric: str = "orders",
    role: Role = Role.GOAL,
    kind: MetricKind = MetricKind.PROPORTION,
    treatment: str = "treatment",
    count: int = 5000,
    mean: float = 0.1,
) -> Estimate:
    return Estimate(
        metric=metric,
        role=role,
        kind=kind,
        treatment=treatment,
        control_count=count,
        treatment_count=count,
        control_mean=mean,
        treatment_mean=mean,
        information=count / 2,
        low=low,
        high=high,
    )


def a_look(
    rule: Rule,
    sample: Sample,
    *,
    day: float = 14,
    past: tuple[Readout, ...] = (),
    is_last: bool = False,
    samples: Mapping[int, Sample] | None = None,
) -> Readout:
    """Read and expect a readout. samples: what earlier looks saw, by their number."""
    result = readout.read(rule, sample, day=day, past=past, is_last=is_last, past_samples=samples or {})
    assert isinstance(result, Readout), result
    return result


def no_look(
    rule: Rule, sample: Sample, *, day: float = 14, past: tuple[Readout, ...] = (), is_last: bool = False
) -> NoLook:
    """Read and expect none."""
    result = readout.read(rule, sample, day=day, past=past, is_last=is_last)
    assert isinstance(result, NoLook), result
    return result


def array(*entries: float | Sequence[float]) -> FloatArray:
    return np.array(entries, dtype=np.float64)


def compared(counts: FloatArray, means: FloatArray, variances: FloatArray) -> Effect:
    """Treatments against the control, each with its own variance."""
    return effects.compare(counts, means, variances[..., :1], variances[..., 1:])
