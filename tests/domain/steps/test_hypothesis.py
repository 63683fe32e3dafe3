"""What filing, editing, handing over, ending and reopening a hypothesis need."""

from dataclasses import replace
from datetime import datetime

import pytest

from builders import (
    DAY,
    H12,
    LEAD,
    NOW,
    OTHER,
    OWNER,
    a_dossier,
    a_lead,
    a_member,
    a_need,
    a_prototype,
    a_request,
    a_statement,
    an_ending,
    an_experiment,
    refused,
    some_evidence,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Decision, Outcome
from labcoat.domain.ids import HypothesisNumber
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.member import Member
from labcoat.domain.need import Tenfold
from labcoat.domain.refusal import Reason
from labcoat.domain.steps import hypothesis
from labcoat.stats.results import Verdict


def _file(*, change: str = "Show fresh offers first", metric: str = "orders", because: str = "they said so") -> Dossier:
    home = a_dossier().hypothesis
    statement = replace(a_statement(change, tags=(" Fresh", "fresh ", "")), metric=metric, because=because)
    return hypothesis.file(
        statement,
        by=a_member(OTHER),
        owner=OWNER,
        workspace=home.workspace,
        channel=home.channel,
        number=HypothesisNumber(1),
        now=NOW,
    )


@pytest.mark.parametrize("field", ["change", "metric", "because"])
def test_filing_needs_change_metric_and_because(field: str) -> None:
    with refused(Reason.MISSING, field):
        _file(**{field: "  "})


@pytest.mark.parametrize("field", ["change", "metric", "because"])
def test_words_too_long_for_slack_are_refused(field: str) -> None:
    with refused(Reason.TOO_LONG, field, length=1001):
        _file(**{field: "x" * 1001})


def test_filed_words_are_trimmed_and_tags_kept_once() -> None:
    filed = _file(change=" Show fresh offers first\n").hypothesis

    assert (filed.change, filed.tags) == ("Show fresh offers first", ("fresh",))


def test_the_first_owner_is_involved_from_the_start() -> None:
    assert _file().hypothesis.involved == (OWNER,)


def test_only_the_owner_edits() -> None:
    with refused(Reason.NOT_OWNER, owner=OWNER):
        hypothesis.edit(a_dossier(), a_statement("Other words"), by=a_lead(), reason=None)


def test_editing_after_evidence_needs_a_reason() -> None:
    dossier = a_dossier(prototypes=(a_prototype(),), evidence=(some_evidence(),))

    with refused(Reason.REASON_NEEDED, "reason"):
        hypothesis.edit(dossier, a_statement("Other words"), by=a_member(), reason=" ")


@pytest.mark.parametrize("state", [ExperimentState.RUNNING, ExperimentState.STOPPED])
def test_the_text_locks_at_the_first_start(state: ExperimentState) -> None:
    with refused(Reason.TEXT_LOCKED):
        hypothesis.edit(a_dossier(an_experiment(state)), a_statement("Other words"), by=a_member(), reason="clearer")


def test_the_text_does_not_lock_while_there_is_only_a_draft() -> None:
    after = hypothesis.edit(a_dossier(an_experiment()), a_statement("Other words"), by=a_member(), reason=None)

    assert after.hypothesis.change == "Other words"


def test_tags_may_change_after_the_start() -> None:
    dossier = a_dossier(an_experiment(ExperimentState.RUNNING))

    after = hypothesis.edit(dossier, a_statement(tags=("ranking",)), by=a_member(), reason=None)

    assert after.hypothesis.tags == ("ranking",)


def test_what_has_an_owner_is_not_taken() -> None:
    with refused(Reason.HAS_OWNER, owner=OWNER):
        hypothesis.take(a_dossier(), by=a_member(OTHER))


def test_the_taker_owns_it_and_is_involved() -> None:
    after = hypothesis.take(a_dossier(owner=None), by=a_member(OTHER)).hypothesis

    assert (after.owner, after.involved) == (OTHER, (OWNER, OTHER))


def test_owner_and_leads_hand_over() -> None:
    for by in (a_member(), a_lead()):
        after = hypothesis.hand_over(a_dossier(), by=by, to=OTHER).hypothesis

        assert (after.owner, after.involved) == (OTHER, (OWNER, OTHER))


def test_others_do_not_hand_over() -> None:
    with refused(Reason.NOT_OWNER_OR_LEAD, owner=OWNER):
        hypothesis.hand_over(a_dossier(), by=a_member(OTHER), to=OTHER)


def test_it_is_without_an_owner_only_in_hypothesize() -> None:
    assert hypothesis.hand_over(a_dossier(), by=a_member(), to=None).hypothesis.owner is None
    with refused(Reason.MISSING, "owner"):
        hypothesis.hand_over(a_dossier(prototypes=(a_prototype(),)), by=a_member(), to=None)


def test_a_deputy_is_involved_and_may_do_what_the_owner_may() -> None:
    after = hypothesis.hand_over(a_dossier(), by=a_member(), to=OWNER, deputy=OTHER)

    assert (after.hypothesis.deputy, after.hypothesis.involved) == (OTHER, (OWNER, OTHER))
    assert hypothesis.edit(after, a_statement("Other words"), by=a_member(OTHER), reason=None)


def test_who_stands_in_may_do_what_the_owner_may_while_they_are_away() -> None:
    stand_in = replace(a_member(OTHER), stands_in_for=frozenset({OWNER}))

    assert hypothesis.edit(a_dossier(), a_statement("Other words"), by=stand_in, reason=None)
    with refused(Reason.NOT_OWNER):
        hypothesis.edit(a_dossier(), a_statement("Other words"), by=a_member(OTHER), reason=None)


def test_owner_and_deputy_are_two_people() -> None:
    with refused(Reason.DEPUTY_IS_OWNER, "deputy"):
        hypothesis.hand_over(a_dossier(), by=a_member(), to=OTHER, deputy=OTHER)


def test_handing_over_to_who_owns_it_already_says_so() -> None:
    with refused(Reason.NOTHING_CHANGED, "owner"):
        hypothesis.hand_over(a_dossier(), by=a_member(), to=OWNER)


def test_what_somebody_left_who_is_gone_is_taken() -> None:
    after = hypothesis.take(a_dossier(), by=a_member(OTHER), is_owner_gone=True).hypothesis

    assert (after.owner, after.involved) == (OTHER, (OWNER, OTHER))


def _close(
    dossier: Dossier,
    *,
    by: Member | None = None,
    outcome: Outcome = Outcome.REFUTED,
    learning: str = "Nothing, because nobody came.",
    verdict: Verdict | None = None,
    overrides: str | None = None,
    now: datetime = NOW,
) -> Dossier:
    return hypothesis.close(
        dossier,
        by=by or a_member(),
        outcome=outcome,
        learning=learning,
        days_spent=2,
        verdict=verdict,
        overrides=overrides,
        now=now,
    )


def test_owner_and_leads_close() -> None:
    for by in (a_member(), a_lead()):
        ending = _close(a_dossier(), by=by).hypothesis.ending

        assert ending is not None
        assert (ending.decision, ending.by) == (Decision.NOT_BUILT, by.user)


def test_others_do_not_close() -> None:
    with refused(Reason.NOT_OWNER_OR_LEAD):
        _close(a_dossier(), by=a_member(OTHER))


def test_closing_needs_a_sentence_learned() -> None:
    with refused(Reason.MISSING, "learning"):
        _close(a_dossier(), learning="")


def test_closing_keeps_the_stage() -> None:
    assert _close(a_dossier(prototypes=(a_prototype(),))).hypothesis.stage is Stage.PROTOTYPE


def test_closing_cancels_drafts_and_withdraws_the_request() -> None:
    stopped, draft = an_experiment(ExperimentState.STOPPED), an_experiment(number=8)

    after = _close(a_dossier(stopped, draft, requests=(a_request(),)))

    assert [one.state for one in after.experiments] == [ExperimentState.STOPPED, ExperimentState.CANCELLED]
    assert after.experiments[1].cancel_reason == "H-12: close"
    assert (after.requests[0].state, after.requests[0].decided_at) == (RequestState.WITHDRAWN, NOW)


@pytest.mark.parametrize(
    ("verdict", "proposed"),
    [
        (Verdict.WIN, Outcome.SUPPORTED),
        (Verdict.WIN_GUARDRAIL_OPEN, Outcome.SUPPORTED),
        (Verdict.WIN_EFFECT_MOVED, Outcome.SUPPORTED),
        (Verdict.GOAL_HARM, Outcome.REFUTED),
        (Verdict.GUARDRAIL_HARM, Outcome.REFUTED),
        (Verdict.NO_EFFECT, Outcome.REFUTED),
        (Verdict.NO_GAIN, Outcome.REFUTED),
        (Verdict.INCONCLUSIVE, Outcome.INCONCLUSIVE),
    ],
)
def test_the_end_form_proposes_an_outcome_and_another_needs_a_reason(verdict: Verdict, proposed: Outcome) -> None:
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED))

    agreed = _close(dossier, outcome=proposed, verdict=verdict, overrides="not needed").hypothesis.ending
    with refused(Reason.REASON_NEEDED, "overrides"):
        _close(dossier, outcome=Outcome.ABANDONED, verdict=verdict)
    chosen = _close(dossier, outcome=Outcome.ABANDONED, verdict=verdict, overrides="new team").hypothesis.ending

    assert agreed is not None
    assert agreed.overrides is None
    assert chosen is not None
    assert (chosen.outcome, chosen.overrides) == (Outcome.ABANDONED, "new team")


@pytest.mark.parametrize(
    "verdict", [Verdict.INVALID, Verdict.DATA_ERROR, Verdict.TOO_EARLY, Verdict.KEEP_COLLECTING, None]
)
def test_without_a_usable_verdict_nothing_is_proposed(verdict: Verdict | None) -> None:
    for outcome in Outcome:
        ending = _close(a_dossier(an_experiment(ExperimentState.STOPPED)), outcome=outcome, verdict=verdict)

        assert ending.hypothesis.ending is not None


def _pivot(dossier: Dossier, *, by: Member | None = None) -> tuple[Dossier, Dossier]:
    return hypothesis.pivot(
        dossier,
        a_statement("Show cheap offers first"),
        by=by or a_member(),
        outcome=Outcome.REFUTED,
        learning="Price matters more.",
        days_spent=2,
        verdict=None,
        overrides=None,
        number=HypothesisNumber(13),
        now=NOW,
    )


def test_a_pivot_links_both_ways() -> None:
    old, new = _pivot(a_dossier())

    assert old.hypothesis.ending is not None
    assert (old.hypothesis.ending.decision, old.hypothesis.ending.replaced_by) == (Decision.REPLACED, 13)
    assert (new.hypothesis.number, new.hypothesis.replaces) == (13, H12)
    assert (new.hypothesis.owner, new.hypothesis.channel) == (OWNER, old.hypothesis.channel)


def test_only_the_owner_pivots() -> None:
    with refused(Reason.NOT_OWNER):
        _pivot(a_dossier(), by=a_lead())


def _closed(decision: Decision = Decision.NOT_BUILT) -> Dossier:
    return a_dossier(ending=an_ending(decision))


def test_owner_and_leads_reopen_with_a_reason() -> None:
    for by in (a_member(), a_lead()):
        assert hypothesis.reopen(_closed(), by=by, reason="new users", now=NOW).hypothesis.is_open
        with refused(Reason.REASON_NEEDED, "reason"):
            hypothesis.reopen(_closed(), by=by, reason="", now=NOW)


def test_others_do_not_reopen() -> None:
    with refused(Reason.NOT_OWNER_OR_LEAD):
        hypothesis.reopen(_closed(), by=a_member(OTHER), reason="new users", now=NOW)


def test_only_a_lead_reopens_what_was_shipped() -> None:
    shipped = _closed(Decision.SHIPPED)

    with refused(Reason.LEAD_ONLY):
        hypothesis.reopen(shipped, by=a_member(), reason="it broke", now=NOW)

    assert hypothesis.reopen(shipped, by=a_lead(), reason="it broke", now=NOW).hypothesis.is_open


def test_owner_and_leads_take_back_what_is_approved_and_not_shipped() -> None:
    approved = a_dossier(
        an_experiment(ExperimentState.STOPPED), stage=Stage.PRODUCTIONIZE, requests=(a_request(RequestState.APPROVED),)
    )

    for by in (a_member(), a_lead()):
        again = hypothesis.reopen(approved, by=by, reason="the totals were wrong", now=NOW)
        assert (again.hypothesis.stage, again.hypothesis.stage_since) == (Stage.EXPERIMENT, NOW)
        assert [one.state for one in again.requests] == [RequestState.APPROVED]
    with refused(Reason.REASON_NEEDED, "reason"):
        hypothesis.reopen(approved, by=a_lead(), reason=" ", now=NOW)
    with refused(Reason.NOT_OWNER_OR_LEAD):
        hypothesis.reopen(approved, by=a_member(OTHER), reason="the totals were wrong", now=NOW)


def test_what_was_approved_from_a_prototype_goes_back_to_it() -> None:
    approved = a_dossier(prototypes=(a_prototype(),), stage=Stage.PRODUCTIONIZE)

    again = hypothesis.reopen(approved, by=a_lead(), reason="it costs more", now=NOW)

    assert again.hypothesis.stage is Stage.PROTOTYPE


def _approved() -> Dossier:
    dossier = a_dossier(
        an_experiment(ExperimentState.STOPPED),
        stage=Stage.PRODUCTIONIZE,
        requests=(a_request(RequestState.SENT_BACK), a_request(RequestState.APPROVED, position=2)),
    )
    return replace(dossier, needs=(a_need(),))


ALL_HOLD = dict.fromkeys(Tenfold, True)


def _ship(
    dossier: Dossier, *, by: Member | None = None, link: str = "https://x", holds: dict[Tenfold, bool] = ALL_HOLD
) -> Dossier:
    return hypothesis.ship(dossier, by=by or a_member(), link=link, holds=holds, days_spent=30, now=NOW + DAY)


def test_what_shipped_is_the_treatment_that_was_approved() -> None:
    approved = _approved()
    named = approved.with_request(replace(approved.requests[-1], treatment="treatment"))

    ending = _ship(named).hypothesis.ending

    assert ending is not None
    assert ending.treatment == "treatment"


def test_only_the_owner_ships() -> None:
    with refused(Reason.NOT_OWNER):
        _ship(_approved(), by=a_lead(LEAD))


def test_shipping_needs_a_link() -> None:
    with refused(Reason.MISSING, "link"):
        _ship(_approved(), link=" ")


def test_shipping_needs_every_line_of_the_10x_list_answered() -> None:
    with refused(Reason.MISSING, "tenfold"):
        _ship(_approved(), holds={Tenfold.DATA: True})


def test_not_yet_on_the_10x_list_makes_a_need() -> None:
    after = _ship(_approved(), holds={**ALL_HOLD, Tenfold.DATA: False, Tenfold.ROLLBACK: False})

    assert [need.position for need in after.needs] == [1, 2, 3]
    assert [need.summary for need in after.needs[1:]] == [
        "Not yet: it works with ten times the data",
        "Not yet: it can be switched off in minutes",
    ]


def test_what_is_shipped_keeps_the_approved_conclusion() -> None:
    ending = _ship(_approved()).hypothesis.ending

    assert ending is not None
    assert (ending.decision, ending.outcome, ending.learning) == (
        Decision.SHIPPED,
        Outcome.SUPPORTED,
        "Fresh offers bring orders.",
    )
