"""Corrections of totals: which looks they undo, and whom that concerns, told in the transaction of the correction."""

from collections.abc import Collection, Iterable
from datetime import datetime

from labcoat.db import dossiers, looks
from labcoat.db.database import Transaction
from labcoat.domain import correcting, notices
from labcoat.domain.correcting import Correction
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Decision
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import RequestState, Stage, Step
from labcoat.domain.look import Look
from labcoat.domain.notice import Notice
from labcoat.domain.request import Request
from labcoat.domain.steps import request as steps
from labcoat.domain.totals_facts import (
    ArmTotals,
    Decided,
    DecisionQuestioned,
    MetricCorrected,
    TotalsCorrected,
    TotalsOrigin,
    VerdictChange,
)
from labcoat.domain.verdicts import verdict_of
from labcoat.stats.results import Estimate, Readout, Verdict
from labcoat.stats.rule import Moments, Role
from labcoat.usecases import publish


def hold(tx: Transaction, dossier: Dossier, number: ExperimentNumber) -> Dossier:
    """Keep others from adding totals and from deciding on them until the transaction ends; return it as it is now.

    The hypothesis first, as every step does: the other way round two of them could wait for each other.
    """
    hypothesis = dossier.hypothesis
    dossiers.hold(tx, hypothesis.workspace, hypothesis.number)
    looks.hold(tx, hypothesis.workspace, number)
    found = dossiers.find(tx, hypothesis.workspace, hypothesis.number)
    assert found is not None
    return found


def supersede(
    tx: Transaction, dossier: Dossier, experiment: Experiment, corrections: Collection[Correction]
) -> tuple[Dossier, int]:
    """Take the looks that rested on wrong totals out of the path; return the dossier, and how many there were."""
    workspace = dossier.hypothesis.workspace
    standing = looks.list_of(tx, workspace, experiment.number)
    wrong = [look for look in standing if any(correcting.rests_on(look, one) for one in corrections)]
    looks.supersede(tx, workspace, experiment.number, [look.slot for look in wrong])
    left = [look.readout for look in standing if look not in wrong and look.readout is not None]
    experiment = correcting.with_looks_left(experiment, left)
    count = sum(look.readout is not None for look in wrong)
    return dossiers.count_correction(tx, dossier, experiment), count


def keep_dropped(tx: Transaction, dossier: Dossier, experiment: Experiment, look: Look | None) -> Dossier:
    """Let treatments that were dropped after a look that was made again keep that one's verdict."""
    if look is None or look.readout is None:
        return dossier
    again = correcting.verdicts_made_again(experiment, look.readout, look.as_of)
    return dossier if again == experiment else dossiers.count_correction(tx, dossier, again)


def fact(
    dossier: Dossier,
    experiment: Experiment,
    corrections: Collection[Correction],
    *,
    gone: int,
    before: Readout | None,
    after: Readout | None,
    origin: TotalsOrigin,
) -> TotalsCorrected:
    """Return what there is to tell of a correction. gone: how many looks no longer count."""
    return TotalsCorrected(
        hypothesis=dossier.hypothesis.number,
        experiment=experiment.number,
        corrected=tuple(
            MetricCorrected(
                metric=one.new.metric, kind=one.kind, old=_totals(one.newest.moments), new=_totals(one.new.moments)
            )
            for one in corrections
        ),
        gone=gone,
        verdicts=tuple(
            VerdictChange(treatment=name, before=_verdict(before, name), after=_verdict(after, name))
            for name in experiment.plan.variant_names[1:]
        ),
        origin=origin,
    )


def _totals(moments: Iterable[Moments]) -> tuple[ArmTotals, ...]:
    return tuple(ArmTotals(count=one.count, mean=one.mean, variance=one.variance) for one in moments)


def tell_concerned(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    told: TotalsCorrected,
    *,
    before: Readout | None,
    after: Readout | None,
    now: datetime,
) -> None:
    """Tell who waits for a decision on the totals, or has made one. told: what the thread reads of it."""
    waiting, more = dossier.waiting_request, list[Notice]()
    if waiting is not None and waiting.experiment == number:
        if has_changed(before, after, waiting.treatment):
            _withdraw(tx, dossier, waiting, before, after, now)
            return
    else:
        more = _to_deciders(dossier, number, told, before, after)
    publish.publish(
        tx, dossier, shows=True, more=more
    )  # and the request with it, which says that the verdict is the same


def has_changed(before: Readout | None, after: Readout | None, treatment: str | None) -> bool:
    """Whether a treatment has another verdict, or the interval that its verdict rested on lies on another side of 0.

    treatment: None for the headline's. before, after: the newest readout that stood, and that stands; None for none.
    """
    if before is None or after is None:
        return before is not after
    named = treatment or (before.headline.treatment if before.headline else None)
    if _verdict(before, named) is not _verdict(after, named):
        return True
    return _lost_crossing(before, after, named)


def _lost_crossing(before: Readout, after: Readout, treatment: str | None) -> bool:
    called = before.find(treatment)
    verdict, metric = (called.verdict, called.metric) if called else (before.verdict, None)
    if not (verdict.is_win or verdict.is_harm):
        return False
    roles = (Role.GOAL,) if verdict.is_win else (Role.GOAL, Role.GUARDRAIL)
    then = {
        one.metric: _side(one)
        for one in before.as_decided.estimates
        if one.treatment == treatment and one.role in roles
    }
    now = {one.metric: _side(one) for one in after.as_decided.estimates if one.treatment == treatment}
    rested_on = [metric] if metric in then else list(then)
    return any(then[name] and then[name] != now.get(name, 0) for name in rested_on)


def _side(estimate: Estimate) -> int:
    """Return on which side of 0 an interval lies; 0 for one that contains it."""
    crossing, shown = estimate.crossing, estimate.shown
    low, high = (crossing.low, crossing.high) if crossing is not None else (shown.low, shown.high)
    if low is None or high is None:
        return 0
    return (low > 0) - (high < 0)


def _verdict(readout: Readout | None, treatment: str | None) -> Verdict | None:
    return None if readout is None else verdict_of(readout, treatment).verdict


def _withdraw(
    tx: Transaction,
    dossier: Dossier,
    request: Request,
    before: Readout | None,
    after: Readout | None,
    now: datetime,
) -> None:
    reason = _why(_verdict(before, request.treatment), _verdict(after, request.treatment))
    new = steps.withdraw(dossier, now=now, reason=reason)
    publish.save(tx, dossier, new, step=Step.WITHDRAW, by=None, now=now, reason=reason)


def _why(was: Verdict | None, now: Verdict | None) -> str:
    if was is now:
        return f"the totals were corrected; the verdict is “{now}” still, but what it rested on no longer shows it"
    if now is None:
        return f"the totals were corrected; the verdict was “{was}”, and there is none now"
    if was is None:
        return f"the totals were corrected; the verdict is “{now}” now"
    return f"the totals were corrected; the verdict was “{was}”, and is “{now}” now"


def _to_deciders(
    dossier: Dossier,
    number: ExperimentNumber,
    told: TotalsCorrected,
    before: Readout | None,
    after: Readout | None,
) -> list[Notice]:
    hypothesis, ending = dossier.hypothesis, dossier.hypothesis.ending
    approved = [one for one in dossier.requests if one.state is RequestState.APPROVED and one.experiment == number]
    is_shipped = ending is not None and ending.decision is Decision.SHIPPED
    is_released = is_shipped or (ending is None and hypothesis.stage is Stage.PRODUCTIONIZE)
    if is_released and approved:
        treatment = (ending.treatment if ending else None) or approved[-1].treatment
        people = (approved[-1].decided_by, hypothesis.owner)
    elif ending is not None and not is_shipped:
        treatment, people = None, (ending.by, hypothesis.owner)
    else:
        return []
    is_changed = has_changed(before, after, treatment)
    if not (is_released or is_changed):
        return []  # nobody would have built it either way
    questioned = DecisionQuestioned(
        correction=told,
        decision=Decided.SHIPPED if is_shipped else Decided.APPROVED if is_released else Decided.CLOSED,
        treatment=treatment,
        before=_verdict(before, treatment),
        after=_verdict(after, treatment),
        is_changed=is_changed,
    )
    return notices.questioned(dossier, questioned, *people)
