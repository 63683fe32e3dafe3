"""Everything that belongs to one hypothesis, read and saved as one: the rules look at all of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from labcoat.domain.evidence import Evidence
from labcoat.domain.experiment import Experiment, WhileItRan
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import ExperimentNumber, UserId
from labcoat.domain.lifecycle import STAGES_OF_STEP, STATE_OF_STEP, ExperimentState, RequestState, Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.need import Need
from labcoat.domain.prototype import Prototype
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A hypothesis with its prototypes, evidence, experiments, requests and needs, each oldest first."""

    hypothesis: Hypothesis
    prototypes: tuple[Prototype, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    requests: tuple[Request, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def running(self) -> Experiment | None:
        """The running experiment; there is at most one."""
        return self._in_state(ExperimentState.RUNNING)

    @property
    def draft(self) -> Experiment | None:
        """The draft; there is at most one."""
        return self._in_state(ExperimentState.DRAFT)

    @property
    def newest_experiment(self) -> Experiment | None:
        """The experiment that H-12 stands for where an experiment is meant: the newest that was not cancelled."""
        kept = [experiment for experiment in self.experiments if experiment.state is not ExperimentState.CANCELLED]
        return kept[-1] if kept else None

    @property
    def waiting_request(self) -> Request | None:
        """The request that waits for an answer; there is at most one."""
        waiting = [request for request in self.requests if request.state is RequestState.WAITING]
        return waiting[-1] if waiting else None

    @property
    def approved_request(self) -> Request | None:
        """The newest request that was approved."""
        approved = [request for request in self.requests if request.state is RequestState.APPROVED]
        return approved[-1] if approved else None

    @property
    def named_treatment(self) -> str | None:
        """The treatment that the newest request about the newest experiment names; None if none does."""
        experiment = self.newest_experiment
        about = [request for request in self.requests if experiment and request.experiment == experiment.number]
        return about[-1].treatment if about else None

    def asked_treatment(self, request: Request) -> str | None:
        """Return which of several treatments a request is about; None where there was no choice."""
        if request.treatment is None or request.experiment is None:
            return None
        has_several = len(self.get_experiment(request.experiment).plan.variants) > 2
        return request.treatment if has_several else None

    @property
    def shipped_treatment(self) -> str | None:
        """Which of several treatments was shipped; None where there was no choice, or nothing was shipped."""
        request, ending = self.approved_request, self.hypothesis.ending
        asked = self.asked_treatment(request) if request is not None else None
        return asked if ending is not None and ending.treatment == asked else None

    @property
    def has_started(self) -> bool:
        """Whether any experiment ever started; the words of the hypothesis are fixed from then on."""
        return any(experiment.started_at is not None for experiment in self.experiments)

    def _in_state(self, state: ExperimentState) -> Experiment | None:
        return next((experiment for experiment in self.experiments if experiment.state is state), None)

    def get_experiment(self, number: ExperimentNumber) -> Experiment:
        """Return the experiment; raise Refusal if it is not this hypothesis's."""
        for experiment in self.experiments:
            if experiment.number == number:
                return experiment
        raise Refusal(Reason.NO_EXPERIMENT, hypothesis=self.hypothesis.number)

    def get_request(self, position: int) -> Request:
        """Return the request; raise Refusal if there is none of that position."""
        for request in self.requests:
            if request.position == position:
                return request
        raise Refusal(Reason.NO_REQUEST, hypothesis=self.hypothesis.number)

    def require(self, step: Step) -> None:
        """Raise Refusal unless the step is allowed at this stage."""
        hypothesis = self.hypothesis
        if hypothesis.ending is not None:
            raise Refusal(Reason.CLOSED, hypothesis=hypothesis.number, decision=hypothesis.ending.decision, step=step)
        if hypothesis.stage not in STAGES_OF_STEP[step]:
            raise Refusal(Reason.WRONG_STAGE, hypothesis=hypothesis.number, stage=hypothesis.stage, step=step)

    def require_state(self, step: Step, experiment: Experiment) -> None:
        """Raise Refusal unless the experiment is in the state that the step needs."""
        if experiment.state is not STATE_OF_STEP[step]:
            raise Refusal(Reason.WRONG_STATE, experiment=experiment.number, state=experiment.state, step=step)

    def require_owner(self, by: Member, *, or_lead: bool = False) -> None:
        """Raise Refusal unless the person may act as its owner (or, where that is enough, leads)."""
        owner = self.hypothesis.owner
        if self.is_owned_by(by) or (or_lead and by.is_lead):
            return
        reason = Reason.NOT_OWNER_OR_LEAD if or_lead else Reason.NOT_OWNER
        raise Refusal(reason, hypothesis=self.hypothesis.number, owner=owner)

    def is_owned_by(self, by: Member) -> bool:
        """Whether the person acts as its owner: the owner, the deputy, or who stands in while the owner is away."""
        owner, deputy = self.hypothesis.owner, self.hypothesis.deputy
        return by.user in (owner, deputy) or owner in by.stands_in_for

    def require_in_channel(self, by: Member) -> None:
        """Raise Refusal unless the person is in the hypothesis's channel."""
        if not by.is_in_channel:
            raise Refusal(Reason.NOT_IN_CHANNEL, channel=self.hypothesis.channel)

    def while_it_ran(self, experiment: Experiment) -> WhileItRan:
        """Return what people did to one of its experiments while it ran."""
        return WhileItRan(
            number=experiment.number,
            zone=experiment.plan.zone,
            dropped=experiment.dropped,
            fixed_cause=experiment.fixed_cause,
            fixed_count=sum(one.fixed_cause is not None for one in self.experiments),
        )

    def with_hypothesis(self, hypothesis: Hypothesis) -> Self:
        """Return the dossier with this hypothesis in place of its own."""
        return replace(self, hypothesis=hypothesis)

    def with_experiment(self, experiment: Experiment) -> Self:
        """Return the dossier with this experiment added, or in place of the one with its number."""
        others = [other for other in self.experiments if other.number != experiment.number]
        return replace(self, experiments=tuple(sorted([*others, experiment], key=lambda one: one.number)))

    def with_request(self, request: Request) -> Self:
        """Return the dossier with this request added, or in place of the one at its position."""
        others = [other for other in self.requests if other.position != request.position]
        return replace(self, requests=tuple(sorted([*others, request], key=lambda one: one.position)))

    def with_prototype(self, prototype: Prototype) -> Self:
        """Return the dossier with this prototype added, or in place of the one at its position."""
        others = [other for other in self.prototypes if other.position != prototype.position]
        return replace(self, prototypes=tuple(sorted([*others, prototype], key=lambda one: one.position)))


def moved(hypothesis: Hypothesis, stage: Stage, *, at: datetime) -> Hypothesis:
    """Return the hypothesis at that stage, its day counted from `at` if it was not there already.

    Whoever moves one that was imported has taken it up: from then on it is like any other.
    """
    if hypothesis.stage is stage:
        return hypothesis
    return replace(hypothesis, stage=stage, stage_since=at, is_imported=False)


def involved(hypothesis: Hypothesis, *people: UserId | None) -> Hypothesis:
    """Return the hypothesis with these people remembered as involved in it."""
    everybody = (*hypothesis.involved, *(person for person in people if person is not None))
    return replace(hypothesis, involved=tuple(dict.fromkeys(everybody)))


def with_stand_in(dossier: Dossier, by: Member) -> Dossier:
    """Return the hypothesis with whoever acts in place of its owner involved: they may not approve it later."""
    owner = dossier.hypothesis.owner
    if owner is None or owner == by.user or owner not in by.stands_in_for:
        return dossier
    return dossier.with_hypothesis(involved(dossier.hypothesis, by.user))
