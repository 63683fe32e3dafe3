"""Steps of an experiment that goes on running: drop a treatment, fix the cause of an uneven split."""

from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches

from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import CauseFixed, DroppedTreatment, Experiment
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.plan import ResultSource
from labcoat.domain.refusal import Reason, Refusal, require_reason


def drop(
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    treatment: str,
    reason: str | None,
    at: datetime,
    by: Member,
    after_look: int,
    now: datetime,
) -> Dossier:
    """Return the running experiment without one of its treatments; the others go on, and it keeps its verdict.

    treatment: its name, in any case. at: since when it gets no traffic, after the start and not in the future.
    after_look: the number of the newest look, 0 if there is none.
    """
    running = _get_running(dossier, Step.DROP, number, by=by)
    name = _find_treatment(running, treatment)
    _require_while_it_ran(running, at, field="at", now=now)
    dropped = DroppedTreatment(
        treatment=name,
        reason=require_reason(reason, because="the others go on without it"),
        at=at,
        recorded_at=now,
        by=by.user,
        after_look=after_look,
    )
    return dossier.with_experiment(replace(running, dropped=(*running.dropped, dropped)))


def require_droppable(dossier: Dossier, number: ExperimentNumber, *, by: Member) -> Experiment:
    """Return the experiment; raise Refusal unless this person may drop one of its treatments."""
    running = _get_running(dossier, Step.DROP, number, by=by)
    _require_another(running, running.remaining_treatments[-1])
    return running


def fix_cause(
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    reason: str | None,
    since: datetime,
    by: Member,
    after_look: int,
    spent: float,
    is_invalid: bool,
    is_timed: bool = True,
    now: datetime,
) -> Dossier:
    """Return the running experiment counting only units that were exposed since the cause of its split was ended.

    since: after the start and not in the future; from now on it does not change. after_look: the number of the newest
    look, 0 if there is none. spent: the share of the planned calendar at the newest valid look, 0-1.
    is_invalid, is_timed: as in `require_fixable`.
    """
    running = require_fixable(dossier, number, by=by, is_invalid=is_invalid, is_timed=is_timed, now=now)
    _require_while_it_ran(running, since, field="since", now=now)
    fixed = CauseFixed(
        reason=require_reason(reason, because="what came before is left out"),
        since=since,
        recorded_at=now,
        by=by.user,
        after_look=after_look,
        spent=spent,
    )
    return dossier.with_experiment(replace(running, fixed_cause=fixed))


def require_fixable(
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member,
    is_invalid: bool,
    is_timed: bool = True,
    now: datetime,
) -> Experiment:
    """Return the experiment; raise Refusal unless this person may say that the cause of its split is fixed.

    is_invalid: the newest look or count says that the split makes it not valid. is_timed: its exposures have a time.
    """
    running = _get_running(dossier, Step.FIX_CAUSE, number, by=by)
    if running.plan.source is not ResultSource.WAREHOUSE:
        raise Refusal(Reason.CAUSE_NEEDS_ROWS, experiment=number)
    if running.fixed_cause is not None:
        at = running.fixed_cause.recorded_at.isoformat()
        raise Refusal(Reason.CAUSE_FIXED_BEFORE, experiment=number, at=at)
    if not is_invalid:
        raise Refusal(Reason.SPLIT_AS_PLANNED, experiment=number)
    if running.planned_end is not None and now >= running.planned_end:
        # The calendar goes on: all that is left to spend would go to one look at few units.
        raise Refusal(Reason.CAUSE_NEEDS_DAYS, experiment=number)
    if not is_timed:
        raise Refusal(Reason.CAUSE_NEEDS_TIMES, experiment=number)
    return running


def _get_running(dossier: Dossier, step: Step, number: ExperimentNumber, *, by: Member) -> Experiment:
    dossier.require(step)
    dossier.require_owner(by)
    running = dossier.get_experiment(number)
    dossier.require_state(step, running)
    if running.is_of_the_past:
        raise Refusal(Reason.DATA_OF_THE_PAST, experiment=number)
    return running


def _find_treatment(running: Experiment, named: str) -> str:
    names = {name.casefold(): name for name in running.plan.variant_names}
    folded = named.strip().casefold()
    if not folded:
        raise Refusal(Reason.MISSING, "treatment")
    if folded not in names:
        near = get_close_matches(folded[:60], names, n=1)
        nearest, known = names[near[0]] if near else None, ", ".join(running.plan.variant_names)
        raise Refusal(Reason.NOT_A_PLAN_VARIANT, "treatment", name=named.strip()[:60], nearest=nearest, known=known)
    name, number = names[folded], running.number
    if name == running.plan.variant_names[0]:
        raise Refusal(Reason.CONTROL_STAYS, "treatment", name=name, experiment=number)
    before = next((one for one in running.dropped if one.treatment == name), None)
    if before is not None:
        at = before.recorded_at.isoformat()
        raise Refusal(Reason.DROPPED_BEFORE, "treatment", name=name, experiment=number, at=at)
    _require_another(running, name)
    return name


def _require_another(running: Experiment, name: str) -> None:
    if len(running.remaining_treatments) < 2:
        raise Refusal(Reason.LAST_TREATMENT, "treatment", name=name, experiment=running.number)


def _require_while_it_ran(running: Experiment, moment: datetime, *, field: str, now: datetime) -> None:
    assert running.since is not None
    if moment > now:
        raise Refusal(Reason.IN_THE_FUTURE, field)
    if moment <= running.since:
        raise Refusal(Reason.BEFORE_THE_START, field)
