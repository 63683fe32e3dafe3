"""Readouts of several treatments, put together by hand: state only what matters."""

from dataclasses import replace

from builders import a_goal, a_guardrail, a_plan
from labcoat.domain.amounts import Amount
from labcoat.domain.plan import Plan, Variant
from labcoat.stats.results import Estimate, Finding, Readout, Reason, SampleRatio, TreatmentVerdict, Verdict
from labcoat.stats.rule import MetricKind, Role

BIG, SMALL, MID = "photos_big", "photos_small", "photos_mid"
ORDERS, REFUNDS = "orders per user", "refunds"
Lift = tuple[float, float, float]


def a_photo_plan(*treatments: str, margin: float | None = None) -> Plan:
    """A plan of a goal that is a mean and a guardrail that is a proportion; margin: of the guardrail, 0-1."""
    names = ("control", *(treatments or (BIG, SMALL)))
    goal = a_goal(ORDERS, kind=MetricKind.MEAN, minimum_effect=Amount(size=0.05, is_relative=False))
    guardrail = a_guardrail(REFUNDS, margin=Amount(size=margin, is_relative=False) if margin else None)
    return replace(a_plan(goal, guardrail), variants=tuple(Variant(name=name, weight=1 / len(names)) for name in names))


def an_estimate(
    treatment: str = BIG,
    metric: str = ORDERS,
    *,
    lift: Lift | None = None,
    points: Lift | None = None,
    difference: Lift | None = None,
) -> Estimate:
    """An effect with its interval: relative, in percent; of a proportion, in points; or of a mean, in its unit."""
    is_guardrail = metric == REFUNDS
    kind = MetricKind.PROPORTION if is_guardrail else MetricKind.MEAN
    given = points or difference or lift
    absolute = tuple(one / 100 for one in given) if given is not None and given is not difference else difference
    relative = tuple(one / 100 for one in lift) if lift is not None else None
    return Estimate(
        metric=metric,
        role=Role.GUARDRAIL if is_guardrail else Role.GOAL,
        kind=kind,
        treatment=treatment,
        control_count=5000,
        treatment_count=5000,
        control_mean=0.05 if is_guardrail else 1.0,
        treatment_mean=0.05 if is_guardrail else 1.0,
        information=2500.0,
        difference=absolute[0] if absolute else None,
        low=absolute[1] if absolute else None,
        high=absolute[2] if absolute else None,
        lift=relative[0] if relative else None,
        lift_low=relative[1] if relative else None,
        lift_high=relative[2] if relative else None,
    )


def called(
    treatment: str,
    verdict: Verdict,
    *findings: Finding,
    metric: str | None = None,
    value: float | None = None,
    is_dropped: bool = False,
) -> TreatmentVerdict:
    """What a look says of a treatment. metric: that decided, and that the findings are about."""
    reasons = tuple(
        Reason(finding=finding, metric=metric or ORDERS, treatment=treatment, value=value) for finding in findings
    )
    return TreatmentVerdict(treatment=treatment, verdict=verdict, reasons=reasons, metric=metric, is_dropped=is_dropped)


def a_look(
    *treatments: TreatmentVerdict, estimates: tuple[Estimate, ...] = (), look: int = 3, day: float = 21
) -> Readout:
    """A look; its headline is the first treatment's."""
    arms = len(treatments) + 1
    return Readout(
        look=look,
        day=day,
        spent=day / 28,
        is_final=False,
        is_after_final=False,
        sample_ratio=SampleRatio(
            exposed=(5000,) * arms, weights=(1 / arms,) * arms, p_value=1.0, log_bayes_factor=0.0, chi_square_p=1.0
        ),
        estimates=estimates,
        verdict=treatments[0].verdict,
        reasons=treatments[0].reasons,
        treatments=treatments,
    )


def a_win_and_a_harm(*, has_more: bool = False) -> Readout:
    """A look at which photos_big wins and photos_small harms refunds."""
    more = (called(MID, Verdict.KEEP_COLLECTING, Finding.CROSSES_ZERO, metric=None),) if has_more else ()
    return a_look(
        called(BIG, Verdict.WIN, Finding.GOOD_SIDE, metric=ORDERS),
        called(SMALL, Verdict.GUARDRAIL_HARM, Finding.BAD_SIDE, metric=REFUNDS),
        *more,
        estimates=(
            an_estimate(BIG, lift=(4.1, 1.2, 7.0)),
            an_estimate(SMALL, lift=(0.4, -2.1, 2.9)),
            an_estimate(MID, lift=(0.4, -2.1, 2.9)),
            an_estimate(BIG, REFUNDS, points=(0.05, -0.10, 0.20)),
            an_estimate(SMALL, REFUNDS, lift=(94, 32, 200)),
        ),
    )


def as_stored_before(readout: Readout) -> Readout:
    """Return a look as earlier versions stored it: one verdict for all treatments."""
    return replace(readout, treatments=())
