"""Hypotheses with all that belongs to them, for tests: state only what matters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from labcoat.db.history_rows import of_pairs
from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import Evidence, EvidenceKind, OfflineEvaluation
from labcoat.domain.experiment import CauseFixed, DroppedTreatment, Experiment
from labcoat.domain.history import FieldChange
from labcoat.domain.hypothesis import Decision, Ending, Hypothesis, Outcome, Statement
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.member import Member
from labcoat.domain.need import Need
from labcoat.domain.notice import NoticeKind, Undelivered
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.prototype import Prototype
from labcoat.domain.refusal import Reason as No
from labcoat.domain.refusal import Refusal
from labcoat.domain.request import NoExperimentReason, Request
from labcoat.stats.results import Finding, Readout, Reason, SampleRatio, Verdict
from labcoat.stats.rule import Design, Direction, MetricKind, Moments, Role

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""A Wednesday."""

WORKSPACE, CHANNEL = WorkspaceId("T1"), ChannelId("C1")
OWNER, LEAD, OTHER_LEAD, OTHER = UserId("UOWNER"), UserId("ULEAD"), UserId("ULEAD2"), UserId("UOTHER")
H12, E7, E8 = HypothesisNumber(12), ExperimentNumber(7), ExperimentNumber(8)
DAY = timedelta(days=1)


def a_member(user: UserId = OWNER, *, is_lead: bool = False, is_in_channel: bool = True) -> Member:
    return Member(user=user, is_lead=is_lead, is_in_channel=is_in_channel)


def a_lead(user: UserId = LEAD) -> Member:
    return a_member(user, is_lead=True)


def a_statement(change: str = "Show fresh offers first", *, tags: tuple[str, ...] = ()) -> Statement:
    return Statement(
        change=change,
        metric="orders per user",
        direction=Direction.UP,
        because="people told us that old offers are gone when they call",
        tags=tags,
    )


def an_ending(
    decision: Decision = Decision.NOT_BUILT, *, outcome: Outcome = Outcome.REFUTED, at: datetime = NOW
) -> Ending:
    return Ending(
        outcome=outcome, decision=decision, learning="Age matters less than price.", days_spent=4.5, by=OWNER, at=at
    )


def a_hypothesis(
    *,
    number: int = H12,
    stage: Stage = Stage.HYPOTHESIZE,
    owner: UserId | None = OWNER,
    involved: tuple[UserId, ...] = (OWNER,),
    filed_at: datetime = NOW - 30 * DAY,
    ending: Ending | None = None,
    workspace: WorkspaceId = WORKSPACE,
    channel: ChannelId = CHANNEL,
) -> Hypothesis:
    words = a_statement()
    return Hypothesis(
        workspace=workspace,
        number=HypothesisNumber(number),
        channel=channel,
        stage=stage,
        stage_since=filed_at,
        change=words.change,
        metric=words.metric,
        direction=words.direction,
        because=words.because,
        owner=owner,
        filed_by=OWNER,
        filed_at=filed_at,
        involved=involved,
        ending=ending,
    )


def a_prototype(*, cap_days: float = 3, spent_days: float = 0, build_guess_days: float | None = 20) -> Prototype:
    return Prototype(
        position=1,
        summary="Sort twenty result pages by hand",
        cap_days=cap_days,
        stop_when="nobody of five notices",
        build_guess_days=build_guess_days,
        spent_days=spent_days,
        begun_by=OWNER,
        begun_at=NOW - 25 * DAY,
    )


def some_evidence(kind: EvidenceKind = EvidenceKind.INTERVIEW, *, position: int = 1) -> Evidence:
    offline = OfflineEvaluation(
        metric="NDCG@10",
        baseline=0.41,
        candidate=0.44,
        data_set="clicks of May",
        split="by user",
        was_tuned_on_it=False,
    )
    return Evidence(
        position=position,
        kind=kind,
        count=5,
        summary="Four of five asked for it.",
        link=None,
        added_by=OTHER,
        added_at=NOW - 20 * DAY,
        offline=offline if kind is EvidenceKind.OFFLINE else None,
    )


def a_goal(
    name: str = "orders per user",
    *,
    kind: MetricKind = MetricKind.PROPORTION,
    minimum_effect: Amount | None = Amount(size=0.01, is_relative=False),  # noqa: B008  frozen
    baseline: float | None = None,
) -> PlannedMetric:
    return PlannedMetric(
        name=name,
        role=Role.GOAL,
        kind=kind,
        direction=Direction.UP,
        minimum_effect=minimum_effect,
        baseline=baseline,
        is_complete_at_exposure=True,
    )


def a_guardrail(name: str = "refunds", *, margin: Amount | None = None) -> PlannedMetric:
    return PlannedMetric(
        name=name,
        role=Role.GUARDRAIL,
        kind=MetricKind.PROPORTION,
        direction=Direction.DOWN,
        margin=margin,
        is_complete_at_exposure=True,
    )


def a_plan(
    *metrics: PlannedMetric,
    design: Design = Design.GROUP_SEQUENTIAL,
    source: ResultSource = ResultSource.WAREHOUSE,
    planned_days: float = 28,
    weights: tuple[float, ...] = (0.5, 0.5),
    zone: str = "Europe/Berlin",
) -> Plan:
    names = ("control", "treatment", "other", "fourth")[: len(weights)]
    return Plan(
        variants=tuple(Variant(name=name, weight=weight) for name, weight in zip(names, weights, strict=True)),
        unit="user",
        metrics=metrics or (a_goal(),),
        design=design,
        source=source,
        planned_days=planned_days,
        zone=zone,
    )


def a_typed_plan(*metrics: PlannedMetric) -> Plan:
    return a_plan(*metrics, design=Design.CONFIDENCE_SEQUENCE, source=ResultSource.TYPED)


def an_experiment(
    state: ExperimentState = ExperimentState.DRAFT,
    *,
    number: int = E7,
    plan: Plan | None = None,
    since: datetime = NOW - 30 * DAY,
) -> Experiment:
    """One that, once started, ran from `since` to its planned end or until now, whichever is first."""
    plan = plan or a_plan()
    draft = Experiment(
        number=ExperimentNumber(number), state=state, plan=plan, planned_by=OWNER, planned_at=since - DAY
    )
    if state in (ExperimentState.DRAFT, ExperimentState.CANCELLED):
        return draft
    running = replace(draft, since=since, started_at=since)
    if state is ExperimentState.RUNNING:
        return running
    ended_at = min(since + plan.planned_days * DAY, NOW)
    return replace(running, ended_at=ended_at, stopped_at=ended_at)


def a_dropped(treatment: str = "treatment", *, at: datetime = NOW - 2 * DAY, after_look: int = 3) -> DroppedTreatment:
    return DroppedTreatment(
        treatment=treatment, reason="it crashes", at=at, recorded_at=at, by=OWNER, after_look=after_look
    )


def a_fixed_cause(
    since: datetime = NOW - 5 * DAY, *, at: datetime = NOW - 4 * DAY, after_look: int = 2, spent: float = 0.0
) -> CauseFixed:
    return CauseFixed(
        reason="a redirect lost users", since=since, recorded_at=at, by=OWNER, after_look=after_look, spent=spent
    )


def a_request(
    state: RequestState = RequestState.WAITING,
    *,
    position: int = 1,
    asked_of: UserId = LEAD,
    asked_at: datetime = NOW - 2 * DAY,
    conclusion: Outcome = Outcome.SUPPORTED,
    verdict: Verdict | None = None,
    experiment: ExperimentNumber | None = E7,
    is_member_confirmation: bool = False,
) -> Request:
    request = Request(
        position=position,
        state=state,
        experiment=experiment,
        asked_by=OWNER,
        asked_of=asked_of,
        asked_at=asked_at,
        expires_at=asked_at + 14 * DAY,
        conclusion=conclusion,
        learning="Fresh offers bring orders.",
        amount_days=20,
        no_experiment_reason=None if experiment else NoExperimentReason.TOO_LITTLE_TRAFFIC,
        is_member_confirmation=is_member_confirmation,
        verdict=verdict,
    )
    if state is RequestState.WAITING:
        return request
    is_of_a_person = state in (RequestState.APPROVED, RequestState.SENT_BACK, RequestState.DECLINED)
    return replace(request, decided_by=LEAD if is_of_a_person else None, decided_at=NOW - DAY, answer="Because.")


def a_need(position: int = 1) -> Need:
    return Need(position=position, summary="A place for features", found_by=OTHER, found_at=NOW)


def a_dossier(
    *experiments: Experiment,
    stage: Stage | None = None,
    owner: UserId | None = OWNER,
    number: int = H12,
    ending: Ending | None = None,
    prototypes: tuple[Prototype, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    requests: tuple[Request, ...] = (),
    involved: tuple[UserId, ...] = (OWNER,),
    filed_at: datetime = NOW - 30 * DAY,
    channel: ChannelId = CHANNEL,
) -> Dossier:
    """One at the stage its parts imply, unless another is given."""
    implied = Stage.EXPERIMENT if experiments else Stage.PROTOTYPE if prototypes else Stage.HYPOTHESIZE
    hypothesis = a_hypothesis(
        number=number,
        stage=stage or implied,
        owner=owner,
        involved=involved,
        filed_at=filed_at,
        ending=ending,
        channel=channel,
    )
    return Dossier(
        hypothesis=hypothesis, prototypes=prototypes, evidence=evidence, experiments=experiments, requests=requests
    )


def a_full_dossier() -> Dossier:
    """One in which every column of every table has something to hold."""
    stopped = replace(
        an_experiment(ExperimentState.STOPPED, plan=a_plan(a_goal(), a_guardrail(), weights=(0.5, 0.25, 0.25))),
        skip_reason="A button is cheaper than asking",
        no_feedback_reason="nobody answered",
        stop_reason="holidays",
        is_registered_late=True,
        dropped=(a_dropped("other"),),
        fixed_cause=a_fixed_cause(),
    )
    cancelled = replace(an_experiment(ExperimentState.CANCELLED, number=E8), cancel_reason="too early")
    hypothesis = replace(
        a_hypothesis(stage=Stage.PRODUCTIONIZE, ending=replace(an_ending(Decision.REPLACED), overrides="see E-7")),
        smallest_effect="2 %",
        refuted_by="no change in orders",
        tags=("ranking", "fresh"),
        replaces=HypothesisNumber(3),
    )
    declined = replace(a_request(RequestState.DECLINED, experiment=None), no_experiment_note="few users")
    approved = replace(
        a_request(RequestState.APPROVED, position=2, verdict=Verdict.WIN_GUARDRAIL_OPEN, is_member_confirmation=True),
        seen_version=4,
        treatment="treatment",
    )
    return Dossier(
        hypothesis=hypothesis,
        prototypes=(a_prototype(spent_days=1.25), replace(a_prototype(build_guess_days=None), position=2)),
        evidence=(
            replace(some_evidence(), link="https://example.com/notes"),
            some_evidence(EvidenceKind.OFFLINE, position=2),
        ),
        experiments=(stopped, cancelled),
        requests=(declined, approved),
        needs=(a_need(), a_need(2)),
    )


def events(count: int, *, of: int) -> Moments:
    """Return the moments of so many successes."""
    return Moments(count=of, mean=count / of, variance=count / of * (1 - count / of))


def a_readout(verdict: Verdict = Verdict.KEEP_COLLECTING, *findings: Finding, is_final: bool = False) -> Readout:
    return Readout(
        look=1,
        day=14,
        spent=0.5,
        is_final=is_final,
        is_after_final=False,
        sample_ratio=SampleRatio(
            exposed=(5000, 5000), weights=(0.5, 0.5), p_value=1.0, log_bayes_factor=0.0, chi_square_p=1.0
        ),
        estimates=(),
        verdict=verdict,
        reasons=tuple(Reason(finding=finding, metric="orders per user") for finding in findings),
    )


@contextmanager
def refused(reason: No, field: str | None = None, **facts: object) -> Iterator[None]:
    """Expect a refusal for this reason, under this field, with at least these facts."""
    with pytest.raises(Refusal) as caught:
        yield
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert facts.items() <= caught.value.facts.items()


def an_undelivered(problem: str) -> Undelivered:
    kind = NoticeKind.HEALTH
    return Undelivered(
        id=10**9, workspace=WORKSPACE, kind=kind, channel=CHANNEL, person=None, problem=problem, since=NOW
    )


def a_change(name: str, old: object, new: object) -> FieldChange:
    """name: "stage", or with what it is of: "E-7 state"."""
    (change,) = of_pairs({name: (old, new)})
    return change
