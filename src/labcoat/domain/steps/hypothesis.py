"""Steps of a hypothesis itself: file, edit, take, hand over, close, pivot, reopen, ship."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime

from labcoat.domain.dossier import Dossier, involved, moved
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Decision, Ending, Hypothesis, Outcome, Statement, checked
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.lifecycle import STAGES_OF_STEP, ExperimentState, RequestState, Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.need import Need, Tenfold
from labcoat.domain.refusal import Reason, Refusal, require_reason, require_text
from labcoat.stats.results import Verdict

PROPOSED_OUTCOME: Mapping[Verdict, Outcome] = {
    Verdict.WIN: Outcome.SUPPORTED,
    Verdict.WIN_GUARDRAIL_OPEN: Outcome.SUPPORTED,
    Verdict.WIN_EFFECT_MOVED: Outcome.SUPPORTED,
    Verdict.GOAL_HARM: Outcome.REFUTED,
    Verdict.GUARDRAIL_HARM: Outcome.REFUTED,
    Verdict.NO_EFFECT: Outcome.REFUTED,
    Verdict.NO_GAIN: Outcome.REFUTED,
    Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}
"""What the end form proposes; data error and invalid propose nothing: run again first."""


def file(
    statement: Statement,
    *,
    by: Member,
    owner: UserId | None,
    workspace: WorkspaceId,
    channel: ChannelId,
    number: HypothesisNumber,
    now: datetime,
    replaces: HypothesisNumber | None = None,
) -> Dossier:
    """Return a new hypothesis in the stage hypothesize."""
    words = checked(statement)
    hypothesis = Hypothesis(
        workspace=workspace,
        number=number,
        channel=channel,
        stage_since=now,
        **asdict(words),
        owner=owner,
        filed_by=by.user,
        filed_at=now,
        replaces=replaces,
    )
    return Dossier(hypothesis=involved(hypothesis, owner))


def edit(dossier: Dossier, statement: Statement, *, by: Member, reason: str | None) -> Dossier:
    """Return the hypothesis with other words; after the first start only the tags may change."""
    dossier.require(Step.EDIT)
    dossier.require_owner(by)
    old, words = dossier.hypothesis, checked(statement)
    says_something_else = replace(words, tags=old.tags) != statement_of(old)
    if dossier.has_started and says_something_else:
        raise Refusal(Reason.TEXT_LOCKED, hypothesis=old.number)
    if dossier.evidence and says_something_else:
        require_reason(reason, because="there is evidence about the words as they were")
    return dossier.with_hypothesis(replace(old, **asdict(words)))


def statement_of(hypothesis: Hypothesis) -> Statement:
    """Return the words of a hypothesis."""
    return Statement(**{field.name: getattr(hypothesis, field.name) for field in fields(Statement)})


def take(dossier: Dossier, *, by: Member, is_owner_gone: bool = False) -> Dossier:
    """Return the hypothesis owned by the taker; one that has an owner who is still there is handed over instead."""
    dossier.require(Step.TAKE)
    if dossier.hypothesis.owner is not None and not is_owner_gone:
        raise Refusal(Reason.HAS_OWNER, hypothesis=dossier.hypothesis.number, owner=dossier.hypothesis.owner)
    deputy = None if dossier.hypothesis.deputy == by.user else dossier.hypothesis.deputy
    return dossier.with_hypothesis(involved(replace(dossier.hypothesis, owner=by.user, deputy=deputy), by.user))


def hand_over(dossier: Dossier, *, by: Member, to: UserId | None, deputy: UserId | None = None) -> Dossier:
    """Return the hypothesis owned by someone else; by nobody only in the stage hypothesize. deputy: None for none."""
    dossier.require(Step.HAND_OVER)
    dossier.require_owner(by, or_lead=True)
    old = dossier.hypothesis
    if to is None and old.stage is not Stage.HYPOTHESIZE:
        raise Refusal(Reason.MISSING, "owner")
    if deputy is not None and deputy == to:
        raise Refusal(Reason.DEPUTY_IS_OWNER, "deputy")
    if (to, deputy) == (old.owner, old.deputy):
        raise Refusal(Reason.NOTHING_CHANGED, "owner", hypothesis=old.number)
    return dossier.with_hypothesis(involved(replace(old, owner=to, deputy=deputy), to, deputy))


NOTE_LENGTH = 1000


def note(dossier: Dossier, *, by: Member, text: str) -> str:
    """Return what is kept of a note; anyone in the channel may write one, at any open stage."""
    dossier.require(Step.NOTE)
    dossier.require_in_channel(by)
    return require_text(text, field="note", longest=NOTE_LENGTH)


def close(
    dossier: Dossier,
    *,
    by: Member,
    outcome: Outcome,
    learning: str,
    days_spent: float,
    verdict: Verdict | None,
    overrides: str | None,
    now: datetime,
) -> Dossier:
    """Return the hypothesis closed and not built; drafts are cancelled, a waiting request withdrawn."""
    return _ended(
        dossier,
        Step.CLOSE,
        by,
        outcome,
        learning,
        days_spent,
        verdict=verdict,
        overrides=overrides,
        now=now,
        replaced_by=None,
    )


def pivot(
    dossier: Dossier,
    statement: Statement,
    *,
    by: Member,
    outcome: Outcome,
    learning: str,
    days_spent: float,
    verdict: Verdict | None,
    overrides: str | None,
    number: HypothesisNumber,
    now: datetime,
) -> tuple[Dossier, Dossier]:
    """Return the hypothesis closed as replaced, and the new one that goes on from it, linked both ways."""
    old = _ended(
        dossier,
        Step.PIVOT,
        by,
        outcome,
        learning,
        days_spent,
        verdict=verdict,
        overrides=overrides,
        now=now,
        replaced_by=number,
    )
    new = file(
        statement,
        by=by,
        owner=by.user,
        workspace=dossier.hypothesis.workspace,
        channel=dossier.hypothesis.channel,
        number=number,
        now=now,
        replaces=dossier.hypothesis.number,
    )
    return old, new


def _ended(
    dossier: Dossier,
    step: Step,
    by: Member,
    outcome: Outcome,
    learning: str,
    days_spent: float,
    *,
    verdict: Verdict | None,
    overrides: str | None,
    now: datetime,
    replaced_by: HypothesisNumber | None,
) -> Dossier:
    dossier.require(step)
    dossier.require_owner(by, or_lead=step is Step.CLOSE)
    if dossier.running is not None:
        raise Refusal(Reason.RUNNING, experiment=dossier.running.number, hypothesis=dossier.hypothesis.number)
    proposed = PROPOSED_OUTCOME.get(verdict) if verdict is not None else None
    if proposed is not None and outcome is not proposed:
        overrides = require_reason(
            overrides, because=f"the verdict “{verdict}” proposes “{proposed}”", field="overrides"
        )
    else:
        overrides = None
    ending = Ending(
        outcome=outcome,
        decision=Decision.REPLACED if replaced_by is not None else Decision.NOT_BUILT,
        learning=require_text(learning, field="learning", longest=1000),
        days_spent=days_spent,
        by=by.user,
        at=now,
        overrides=overrides,
        replaced_by=replaced_by,
    )
    return replace(
        dossier,
        hypothesis=replace(dossier.hypothesis, ending=ending),
        experiments=tuple(_cancelled_if_draft(one, step, dossier.hypothesis.number) for one in dossier.experiments),
        requests=tuple(
            replace(one, state=RequestState.WITHDRAWN, decided_at=now) if one.state is RequestState.WAITING else one
            for one in dossier.requests
        ),
    )


def _cancelled_if_draft(experiment: Experiment, step: Step, number: HypothesisNumber) -> Experiment:
    if experiment.state is not ExperimentState.DRAFT:
        return experiment
    return replace(experiment, state=ExperimentState.CANCELLED, cancel_reason=f"H-{number}: {step}")


def reopen(dossier: Dossier, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Return the hypothesis open again at its last stage; one that was shipped only by a lead.

    One that is approved and not shipped yet goes back to where it was asked for; its request stays approved.
    """
    require_reopenable(dossier, by=by)
    if dossier.hypothesis.is_open:
        require_reason(reason, because="others have read that it is approved")
        return dossier.with_hypothesis(moved(dossier.hypothesis, stage_before_approval(dossier), at=now))
    require_reason(reason, because="others have read that it is closed")
    return dossier.with_hypothesis(replace(dossier.hypothesis, ending=None, is_imported=False))


def require_reopenable(dossier: Dossier, *, by: Member) -> None:
    """Raise Refusal unless it is closed or approved, and this person may open it again."""
    hypothesis = dossier.hypothesis
    if hypothesis.ending is None and hypothesis.stage not in STAGES_OF_STEP[Step.REOPEN]:
        raise Refusal(Reason.NOT_CLOSED, hypothesis=hypothesis.number)
    if hypothesis.ending is not None and hypothesis.ending.decision is Decision.SHIPPED and not by.is_lead:
        raise Refusal(Reason.LEAD_ONLY, hypothesis=hypothesis.number)
    dossier.require_owner(by, or_lead=True)


def stage_before_approval(dossier: Dossier) -> Stage:
    """Return the stage that an approved hypothesis was asked for at."""
    return Stage.EXPERIMENT if dossier.newest_experiment is not None else Stage.PROTOTYPE


def ship(
    dossier: Dossier,
    *,
    by: Member,
    link: str,
    holds: Mapping[Tenfold, bool],
    days_spent: float,
    now: datetime,
) -> Dossier:
    """Return the hypothesis closed and shipped, with the treatment, outcome and learning of the approved request.

    holds: an answer for every line of the 10x list; False means "not yet" and makes a need.
    """
    dossier.require(Step.SHIP)
    dossier.require_owner(by)
    if any(line not in holds for line in Tenfold):
        raise Refusal(Reason.MISSING, "tenfold")
    approved = dossier.approved_request
    assert approved is not None  # nothing else leads to productionize
    ending = Ending(
        outcome=approved.conclusion,
        decision=Decision.SHIPPED,
        learning=approved.learning,
        days_spent=days_spent,
        by=by.user,
        at=now,
        link=require_text(link, field="link", longest=500),
        treatment=approved.treatment,
    )
    missing = [line for line in Tenfold if not holds[line]]
    needs = tuple(
        Need(position=len(dossier.needs) + index, summary=f"Not yet: {line}", found_by=by.user, found_at=now)
        for index, line in enumerate(missing, start=1)
    )
    return replace(dossier, hypothesis=replace(dossier.hypothesis, ending=ending), needs=dossier.needs + needs)
