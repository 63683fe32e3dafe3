"""What asking for the investment and answering need, and who may."""

from datetime import datetime

import pytest

from builders import (
    DAY,
    E7,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    a_dossier,
    a_lead,
    a_member,
    a_plan,
    a_prototype,
    a_request,
    an_experiment,
    refused,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.member import Member
from labcoat.domain.person import EVERYBODY_THERE, Person, Presence
from labcoat.domain.refusal import Reason
from labcoat.domain.request import NoExperimentReason, eligible_leads, is_against
from labcoat.domain.steps import request
from labcoat.stats.results import Verdict

WAITING = (a_request(),)


def _stopped(*, involved: tuple[UserId, ...] = (OWNER,), waiting: bool = False) -> Dossier:
    requests = WAITING if waiting else ()
    return a_dossier(an_experiment(ExperimentState.STOPPED), involved=involved, requests=requests)


def _ask(
    dossier: Dossier,
    *,
    by: Member | None = None,
    of: UserId = LEAD,
    leads: tuple[UserId, ...] = (LEAD, OTHER_LEAD),
    learning: str = "It works.",
    amount_days: float = 20,
    why: NoExperimentReason | None = None,
    note: str = "",
    presence: Presence = EVERYBODY_THERE,
    treatment: str | None = None,
) -> Dossier:
    return request.ask(
        dossier,
        by=by or a_member(),
        of=of,
        leads=leads,
        presence=presence,
        conclusion=Outcome.SUPPORTED,
        learning=learning,
        amount_days=amount_days,
        verdict=Verdict.WIN,
        no_experiment_reason=why,
        no_experiment_note=note,
        expires_at=NOW + 14 * DAY,
        now=NOW,
        treatment=treatment,
    )


def test_only_the_owner_asks() -> None:
    with refused(Reason.NOT_OWNER):
        _ask(_stopped(), by=a_lead())


def test_asking_needs_a_learning_and_an_amount() -> None:
    with refused(Reason.MISSING, "learning"):
        _ask(_stopped(), learning="")
    with refused(Reason.NOT_POSITIVE, "amount"):
        _ask(_stopped(), amount_days=0)


def test_asking_keeps_the_stage_and_what_the_numbers_said() -> None:
    after = _ask(_stopped(), why=NoExperimentReason.OTHER)

    assert after.hypothesis.stage is Stage.EXPERIMENT
    assert after.waiting_request is not None
    assert (after.waiting_request.verdict, after.waiting_request.experiment) == (Verdict.WIN, E7)
    assert after.waiting_request.no_experiment_reason is None


def test_asking_from_a_prototype_says_why_there_is_no_experiment() -> None:
    prototype = a_dossier(prototypes=(a_prototype(),))

    with refused(Reason.REASON_NEEDED, "no_experiment"):
        _ask(prototype)
    with refused(Reason.REASON_NEEDED, "no_experiment_note"):
        _ask(prototype, why=NoExperimentReason.OTHER)
    after = _ask(prototype, why=NoExperimentReason.LEGAL_OR_SAFETY).requests[0]

    assert (after.experiment, after.no_experiment_reason) == (None, NoExperimentReason.LEGAL_OR_SAFETY)


@pytest.mark.parametrize("of", [OWNER, OTHER])
def test_neither_the_requester_nor_an_involved_lead_is_asked(of: UserId) -> None:
    with refused(Reason.NOT_ELIGIBLE, "lead"):
        _ask(_stopped(involved=(OWNER, OTHER)), of=of, leads=(LEAD, OWNER, OTHER))


def test_a_member_is_asked_only_where_no_lead_is_eligible() -> None:
    with refused(Reason.NOT_ELIGIBLE, "lead"):
        _ask(_stopped(), of=OTHER)
    after = _ask(_stopped(involved=(OWNER, LEAD)), of=OTHER, leads=(LEAD, OWNER)).requests[0]

    assert (after.asked_of, after.is_member_confirmation) == (OTHER, True)


def test_a_requester_who_is_no_longer_owner_stays_involved() -> None:
    after = _ask(_stopped(involved=()), by=a_member(OWNER))

    assert eligible_leads(after.hypothesis, (OWNER, LEAD)) == (LEAD,)


def _approve(dossier: Dossier, *, by: Member | None = None, reason: str | None = None) -> Dossier:
    verdict = dossier.requests[-1].verdict
    return request.approve(dossier, 1, by=by or a_lead(), reason=reason, verdict=verdict, seen_version=3, now=NOW)


def test_an_approval_keeps_who_when_and_the_version_seen() -> None:
    after = _approve(_stopped(waiting=True))

    assert (after.hypothesis.stage, after.hypothesis.stage_since) == (Stage.PRODUCTIONIZE, NOW)
    assert (after.requests[0].decided_by, after.requests[0].decided_at, after.requests[0].seen_version) == (
        LEAD,
        NOW,
        3,
    )


def test_any_eligible_lead_answers() -> None:
    assert _approve(_stopped(waiting=True), by=a_lead(OTHER_LEAD)).requests[0].decided_by == OTHER_LEAD


@pytest.mark.parametrize(
    ("by", "involved"),
    [
        (a_lead(OWNER), (OWNER,)),  # the owner, who leads
        (a_lead(OTHER_LEAD), (OWNER, OTHER_LEAD)),  # owned it once
        (a_member(OTHER), (OWNER,)),  # leads nothing
        (a_member(LEAD), (OWNER,)),  # was asked, and does not lead any more
    ],
)
def test_nobody_involved_and_nobody_without_a_lead_answers(by: Member, involved: tuple[UserId, ...]) -> None:
    dossier = _stopped(involved=involved, waiting=True)

    with refused(Reason.NOT_ELIGIBLE):
        _approve(dossier, by=by)
    with refused(Reason.NOT_ELIGIBLE):
        request.send_back(dossier, 1, by=by, reason="n", now=NOW)
    with refused(Reason.NOT_ELIGIBLE):
        request.decline(dossier, 1, by=by, reason="n", now=NOW)


def test_a_member_confirms_where_they_were_asked_to() -> None:
    asked = a_request(asked_of=OTHER, is_member_confirmation=True)
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(asked,))

    with refused(Reason.NOT_ELIGIBLE):
        _approve(dossier, by=a_member(UserId("USTRANGER")))

    assert _approve(dossier, by=a_member(OTHER)).requests[0].state is RequestState.APPROVED


AGAINST = [(verdict, Outcome.SUPPORTED) for verdict in Verdict if verdict is not Verdict.WIN] + [
    (Verdict.WIN, Outcome.REFUTED),
    (Verdict.WIN, Outcome.INCONCLUSIVE),
]


@pytest.mark.parametrize(("verdict", "conclusion"), AGAINST)
def test_approving_against_the_verdict_needs_a_reason(verdict: Verdict, conclusion: Outcome) -> None:
    asked = a_request(verdict=verdict, conclusion=conclusion)
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(asked,))

    with refused(Reason.REASON_NEEDED, "reason"):
        _approve(dossier)

    assert _approve(dossier, reason="the law asks for it").requests[0].answer == "the law asks for it"


def test_the_verdict_that_counts_is_the_newest_not_the_one_at_the_asking() -> None:
    asked = a_request(verdict=Verdict.WIN, conclusion=Outcome.SUPPORTED)
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(asked,))

    with refused(Reason.REASON_NEEDED, "reason"):
        request.approve(dossier, 1, by=a_lead(), reason=None, verdict=Verdict.GOAL_HARM, seen_version=3, now=NOW)


@pytest.mark.parametrize(
    ("verdict", "because"),
    [
        (Verdict.WIN_GUARDRAIL_OPEN, "a guardrail is not shown safe"),
        (Verdict.WIN_EFFECT_MOVED, "the effect has moved since it won"),
    ],
)
def test_approving_a_win_with_something_open_needs_a_sentence_and_is_not_against_it(
    verdict: Verdict, because: str
) -> None:
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(verdict=verdict),))

    assert not is_against(verdict, Outcome.SUPPORTED)
    with refused(Reason.REASON_NEEDED, "reason", because=because):
        _approve(dossier)


def _of_several(**more: str | None) -> Dossier:
    experiment = an_experiment(ExperimentState.STOPPED, plan=a_plan(weights=(0.4, 0.3, 0.3)))
    return _ask(a_dossier(experiment), **more)  # type: ignore[arg-type]


def test_a_request_names_which_of_several_treatments_is_to_be_built() -> None:
    assert _of_several(treatment="other").requests[0].treatment == "other"
    for unknown in (None, "control", "nobody"):
        with refused(Reason.MISSING, "treatment"):
            _of_several(treatment=unknown)


def test_the_only_treatment_need_not_be_named() -> None:
    asked = _ask(_stopped())

    assert asked.requests[0].treatment == "treatment"
    assert asked.asked_treatment(asked.requests[0]) is None  # there is no choice to speak of


def test_a_request_from_a_prototype_is_about_no_treatment() -> None:
    asked = _ask(a_dossier(prototypes=(a_prototype(),)), why=NoExperimentReason.LEGAL_OR_SAFETY, treatment="other")

    assert asked.requests[0].treatment is None


@pytest.mark.parametrize("verdict", [Verdict.WIN, None])
def test_approving_with_the_verdict_needs_none(verdict: Verdict | None) -> None:
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(verdict=verdict),))

    assert _approve(dossier).requests[0].answer is None


def test_sending_back_and_declining_need_a_reason() -> None:
    with refused(Reason.REASON_NEEDED, "reason"):
        request.send_back(_stopped(waiting=True), 1, by=a_lead(), reason="", now=NOW)
    with refused(Reason.REASON_NEEDED, "reason"):
        request.decline(_stopped(waiting=True), 1, by=a_lead(), reason=" ", now=NOW)


def test_the_second_answer_hears_who_was_first_and_when() -> None:
    approved = _approve(_stopped(waiting=True))

    with refused(Reason.ALREADY_DECIDED, by=LEAD, at=NOW.isoformat(), state=RequestState.APPROVED):
        request.decline(approved, 1, by=a_lead(OTHER_LEAD), reason="too dear", now=NOW + DAY)


@pytest.mark.parametrize(("at", "is_expired"), [(NOW + 12 * DAY, True), (NOW + 11 * DAY, False)])
def test_a_request_expires_when_its_time_has_passed(at: datetime, *, is_expired: bool) -> None:
    dossier = _stopped(waiting=True)

    if not is_expired:
        with refused(Reason.NOT_EXPIRED):
            request.expire(dossier, 1, now=at)
        return
    after = request.expire(dossier, 1, now=at)

    assert (after.requests[0].state, after.requests[0].decided_by) == (RequestState.EXPIRED, None)


def test_an_expired_request_is_asked_again_as_another() -> None:
    expired = request.expire(_stopped(waiting=True), 1, now=NOW + 99 * DAY)

    after = _ask(expired)

    assert [one.state for one in after.requests] == [RequestState.EXPIRED, RequestState.WAITING]
    assert after.requests[1].position == 2


def test_a_request_that_is_not_there_is_refused() -> None:
    with refused(Reason.NO_REQUEST):
        request.approve(_stopped(), 1, by=a_lead(), reason=None, verdict=None, seen_version=1, now=NOW)


AWAY_UNTIL = NOW + 7 * DAY


def _away(*people: Person) -> Presence:
    return Presence(away={person.user: person for person in people})


def test_a_lead_who_is_away_is_not_asked_while_another_is_there() -> None:
    presence = _away(Person(user=LEAD, away_until=AWAY_UNTIL))

    with refused(Reason.PERSON_AWAY, "lead", until=AWAY_UNTIL.isoformat()):
        _ask(_stopped(), presence=presence)
    assert not _ask(_stopped(), of=OTHER_LEAD, presence=presence).requests[0].is_member_confirmation


def test_while_every_lead_is_away_one_may_wait_or_a_member_confirms() -> None:
    presence = _away(Person(user=LEAD, away_until=AWAY_UNTIL))

    assert not _ask(_stopped(), leads=(LEAD,), presence=presence).requests[0].is_member_confirmation
    assert _ask(_stopped(), of=OTHER, leads=(LEAD,), presence=presence).requests[0].is_member_confirmation


def test_who_stands_in_for_the_owner_neither_is_asked_nor_answers() -> None:
    presence = _away(Person(user=OWNER, away_until=AWAY_UNTIL, stand_in=LEAD))
    stand_in = Member(user=LEAD, is_lead=True, stands_in_for=frozenset({OWNER}))

    with refused(Reason.NOT_ELIGIBLE, "lead"):
        _ask(_stopped(), presence=presence)
    with refused(Reason.NOT_ELIGIBLE):
        request.answerable(_stopped(waiting=True), 1, by=stand_in)


def test_a_lead_who_is_gone_is_not_eligible() -> None:
    assert eligible_leads(_stopped().hypothesis, (LEAD, OTHER_LEAD), presence=Presence(gone=frozenset({LEAD}))) == (
        OTHER_LEAD,
    )


ONLY_LEAD = Member(user=OWNER, is_lead=True, is_only_lead=True)


def test_only_the_only_lead_who_owns_it_asks_themselves() -> None:
    asked = _ask(_stopped(), by=ONLY_LEAD, of=OWNER, leads=(OWNER,)).requests[0]

    assert (asked.is_self_release, asked.is_member_confirmation) == (True, False)
    with refused(Reason.NOT_ELIGIBLE, "lead"):
        _ask(_stopped(), by=a_member(is_lead=True), of=OWNER, leads=(OWNER, LEAD))


def test_releasing_alone_needs_a_reason_and_that_nobody_else_leads() -> None:
    asked = _ask(_stopped(), by=ONLY_LEAD, of=OWNER, leads=(OWNER,))

    def release(by: Member, reason: str | None) -> Dossier:
        return request.approve(asked, 1, by=by, reason=reason, verdict=Verdict.WIN, seen_version=1, now=NOW)

    with refused(Reason.REASON_NEEDED, "reason"):
        release(ONLY_LEAD, None)
    with refused(Reason.NOT_ELIGIBLE):
        release(a_member(is_lead=True), "Easy to undo")
    assert release(ONLY_LEAD, "Easy to undo").hypothesis.stage is Stage.PRODUCTIONIZE
    assert release(a_lead(OTHER_LEAD), None).requests[0].decided_by == OTHER_LEAD


def test_the_owner_and_who_acts_for_them_take_a_request_back() -> None:
    stand_in = Member(user=OTHER, stands_in_for=frozenset({OWNER}))
    for by in (a_member(), stand_in):
        after = request.withdraw(_stopped(waiting=True), by=by, reason="one more week", now=NOW).requests[0]

        assert (after.state, after.decided_by, after.answer) == (RequestState.WITHDRAWN, by.user, "one more week")
    with refused(Reason.NOT_OWNER):
        request.withdraw(_stopped(waiting=True), by=a_member(OTHER), now=NOW)
