"""The largest plan, and what a look at it says: as many and as long treatments and metrics as there may be."""

from collections.abc import Iterator
from dataclasses import replace

import builders
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.stats.results import Estimate, Finding, Readout, Reason, SampleRatio, TreatmentVerdict, Verdict
from labcoat.stats.rule import Design
from largest_words import METRICS, NAMES, text_of

ZONE = "Europe/Berlin"


def a_plan(source: ResultSource = ResultSource.TYPED) -> Plan:
    """A plan with as many and as long variants and metrics as there may be."""
    goal = replace(builders.a_goal(METRICS[0]), baseline=0.123456789, description=text_of(3000), owner=text_of(3000))
    others = [builders.a_guardrail(name, margin=goal.minimum_effect) for name in METRICS[1:]]
    return Plan(
        variants=tuple(Variant(name=name, weight=1 / len(NAMES)) for name in NAMES),
        unit=text_of(40),
        metrics=(goal, *others),
        design=Design.CONFIDENCE_SEQUENCE,
        source=source,
        planned_days=365.25,
        zone=ZONE,
    )


def a_readout(verdict: Verdict = Verdict.GUARDRAIL_HARM) -> Readout:
    estimates = tuple(an_estimate(metric, treatment) for metric in a_plan().metrics for treatment in NAMES[1:])
    return replace(
        builders.a_readout(verdict),
        sample_ratio=SampleRatio(
            exposed=(10**12,) * len(NAMES),
            weights=(1 / len(NAMES),) * len(NAMES),
            p_value=1e-9,
            log_bayes_factor=9.0,
            chi_square_p=1e-9,
        ),
        estimates=estimates,
        reasons=tuple(_reasons(NAMES[1])),
        treatments=tuple(
            TreatmentVerdict(treatment=name, verdict=verdict, reasons=tuple(_reasons(name)), metric=METRICS[1])
            for name in NAMES[1:]
        ),
    )


def _reasons(treatment: str) -> Iterator[Reason]:
    return (Reason(finding=Finding.BAD_SIDE, metric=metric, treatment=treatment) for metric in METRICS)


def an_estimate(metric: PlannedMetric, treatment: str) -> Estimate:
    return Estimate(
        metric=metric.name,
        role=metric.role,
        kind=metric.kind,
        treatment=treatment,
        control_count=10**12,
        treatment_count=10**12,
        control_mean=0.123456,
        treatment_mean=0.113456,
        information=5e11,
        difference=-0.01,
        standard_error=0.001,
        multiplier=4.0,
        low=-0.014,
        high=-0.006,
        lift=-0.081,
        lift_low=-0.11,
        lift_high=-0.05,
    )
