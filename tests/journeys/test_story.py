"""The whole story on typed counts, and the ways it can turn."""

from collections.abc import Callable

import pytest

from journeys.playing import CLOSE, DAY, FILE, START, Play, read
from labcoat.demo import people
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage

RECORD = "/experiment record E-1 control=1200/24000 treatment=1310/24100"


def test_hypothesis_goes_from_free_text_to_shipped(play_on_both: Play) -> None:
    play = play_on_both
    ana, ben, lena = play.ana, play.ben, play.lena

    form = play.types(ana, "/hypothesis Show fresh offers first to people who come back")
    assert form is not None
    assert "Show fresh offers first to people who come back" in read(form)
    play.submits(ana, **FILE, smallest_effect="5 %", tags="search")
    assert "H-1 · Hypothesize · day 1" in read(play.card())

    play.presses(ana, play.card(), "prototype")
    play.submits(ana, summary="A SQL query and five users", cap="2", stop_when="Nobody notices", build_guess="30")
    play.presses(ben, play.card(), "evidence")
    play.submits(ben, kind="usability test", count="5", summary="4 of 5 preferred it", spent="1")
    card = read(play.card())
    assert "1 of 2 person-days" in card
    assert "1 from users" in card

    play.presses(ana, play.card(), "plan")
    play.submits(ana, minimum_effect="0.5 points", design="confidence sequence")
    play.presses(ana, play.card(), "start")
    play.submits(ana)
    assert "E-1 running since Tue 24 Nov, planned until Tue 22 Dec" in read(play.card())

    play.set_clock(START + 15 * DAY)
    result = play.asks(ana, RECORD)
    # p = 1200/24000 = 5 %, q = 1310/24100 = 5.4357 %; se = sqrt(p(1-p)/24000 + q(1-q)/24100) = 0.20278 points;
    # V = 48100 (L + ln(1 + L)) / 5000 with L = -2 ln .05, k = sqrt((V+1)/V (ln(V+1) + L)) = 3.2365 (STATISTICS.md, 5).
    assert "+0.44 points (-0.22 to 1.09); 5.00 % to 5.44 %, n 24,000 / 24,100" in result
    assert "No clear effect yet" in result
    assert "typed in totals for E-1: orders per user" in "\n".join(play.thread())
    assert play.asks(ben, "/experiment result H-1").startswith("# E-1 ·")

    play.stops(ana)
    assert "E-1 stopped, Tue 24 Nov to Wed 9 Dec" in read(play.card())
    assert ", final" in play.asks(ana, RECORD)  # the last look waits for totals up to the end

    play.asks_lead(ana)
    request = play.direct(lena)[-1]
    assert "# H-1: 20 person-days to productionize?" in read(request)
    play.presses(lena, request, "send_back")
    play.submits(lena, reason="How many came back?")
    assert "Sent back by @ULENA" in read(play.direct(lena)[-1])
    play.presses(ana, play.direct(ana)[-1], "ask")
    play.submits(ana, learning="One in three came back", lead=people.LENA)
    play.presses(lena, play.direct(lena)[-1], "approve")
    play.submits(lena, reason="Cheap enough to try")
    assert "H-1 · Productionize" in read(play.card())

    play.presses(ana, play.direct(ana)[-1], "ship")
    play.submits(ana, link="https://example.org/fresh", tenfold=["it can be switched off in minutes"], days_spent="24")

    assert "H-1 · Closed: supported, shipped" in read(play.card())
    assert len(play.keys()) == len(set(play.keys()))
    dossier = play.dossier()
    assert dossier is not None
    assert [one.state for one in dossier.requests] == [RequestState.SENT_BACK, RequestState.APPROVED]
    assert len(dossier.needs) == 4  # what is not checked of the five lines means "not yet"


def test_story_in_the_thread_tells_every_step_in_order(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.plans(play.ana)
    play.starts(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, **CLOSE)

    story = play.thread()

    begun = ["began a prototype", "added evidence", "planned E-1", "started E-1", "stopped E-1", "closed H-1"]
    assert [line.removeprefix("@UANA ")[: len(verb)] for line, verb in zip(story, begun, strict=True)] == begun


def test_only_started_closed_and_approved_reach_the_channel_itself(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.plans(play.ana)
    play.starts(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)

    card, *others = play.channel()

    assert card["ts"] == play.card()["ts"]
    assert ["started E-1" in read(one) for one in others] == [True]


def test_closing_against_the_verdict_needs_a_reason_that_stays_visible(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + 29 * DAY)
    play.asks(play.ana, "/experiment record E-1 control=1000/24000 treatment=1500/24000")
    play.stops(play.ana)
    play.types(play.ana, "/hypothesis close H-1")

    refused = play.is_refused(play.ana, **CLOSE)
    play.submits(play.ana, overrides="It needs twice the servers")

    assert "“win” proposes “supported”" in refused["overrides"]
    assert "Against the verdict, because It needs twice the servers" in read(play.card())
    assert "Why: It needs twice the servers" in play.thread()[-1]


def test_member_confirms_where_nobody_leads(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=())
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")
    play.submits(play.ana, **_without_experiment(), lead=people.BEN)

    play.presses(play.ben, play.direct(play.ben)[-1], "approve")
    play.submits(play.ben)

    assert "confirmed by a member (@UBEN)" in read(play.card())


def test_member_cannot_confirm_own_request(play_with: Callable[..., Play]) -> None:
    play = play_with(leads=())
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")

    refused = play.is_refused(play.ana, **_without_experiment(), lead=people.ANA)

    assert "a second person looks at the evidence" in refused["lead"]


def test_asking_from_a_prototype_needs_a_reason_for_no_experiment(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")

    refused = play.is_refused(play.ana, **_without_experiment("other"), lead=people.LENA)
    play.submits(play.ana, no_experiment="too little traffic", no_experiment_note="Nine users a week")

    assert "give a reason" in refused["no_experiment_note"]
    request = read(play.direct(play.lena)[-1])
    assert "too little traffic: Nine users a week" in request
    assert "Without an experiment: too little traffic" in play.thread()[-1]
    assert "H-1 · Prototype" in read(play.card())


def test_running_again_withdraws_the_request(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)
    play.asks_lead(play.ana)

    answer = play.asks(play.ana, "/experiment again E-1")

    assert "E-2 is planned with the plan of E-1" in answer
    assert "Withdrawn" in read(play.direct(play.lena)[-1])
    assert not {"approve", "decline", "send_back"} & _buttons(play.direct(play.lena)[-1])
    dossier = play.dossier()
    assert dossier is not None
    assert [one.state for one in dossier.experiments] == [ExperimentState.STOPPED, ExperimentState.DRAFT]
    assert dossier.hypothesis.stage is Stage.EXPERIMENT


def test_closing_withdraws_the_request(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")
    play.submits(play.ana, **_without_experiment(), lead=people.LENA)

    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, **CLOSE)

    assert "Withdrawn" in read(play.direct(play.lena)[-1])


def test_cancelled_draft_goes_back_to_the_prototype(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.plans(play.ana)

    play.presses(play.ana, play.card(), "cancel")
    play.submits(play.ana, reason="Another team tests the same page")

    assert "H-1 · Prototype" in read(play.card())
    assert "cancelled E-1. Why: Another team tests the same page" in play.thread()[-1]


def test_declined_request_offers_the_end_form(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")
    play.submits(play.ana, **_without_experiment(), lead=people.LENA)
    play.presses(play.lena, play.direct(play.lena)[-1], "decline")
    play.submits(play.lena, reason="Too dear for what it brings")

    play.presses(play.ana, play.direct(play.ana)[-1], "close")
    play.submits(play.ana, **CLOSE)

    assert "H-1 · Closed: refuted, not built" in read(play.card())


def test_mean_is_typed_in_the_form(play: Play) -> None:
    play.runs(play.ana, goal="revenue", kind="mean", baseline="4", minimum_effect="0.1")
    play.set_clock(START + 15 * DAY)
    answer = play.asks(play.ana, "/experiment record E-1 control=1/2 treatment=1/2")
    play.types(play.ana, "/experiment record E-1")

    play.submits(play.ana, totals_0="24000, 4.21, 7.9", totals_1="24100 4.80 8.1")

    assert "is a mean" in answer
    # 4.80 - 4.21; k = 3.2365 as for the same n above; se = sqrt(7.9^2/24000 + 8.1^2/24100) = 0.07296
    assert "+0.59 (0.35 to 0.83)" in play.asks(play.ana, "/experiment result E-1")


def test_choosing_a_metric_changes_the_form_of_totals(play: Play) -> None:
    play.runs(play.ana, guardrails="refund rate down")
    play.types(play.ana, "/experiment record E-1")

    done = play.ana.click_in_view(action_id="live:metric", block_id="metric", option="refund rate")
    play.set_clock(START + DAY)
    play.submits(play.ana, totals_0="20 / 1000", totals_1="31/1001", as_of=int(START.timestamp()) + 3600)

    assert done.ok
    assert "typed in totals for E-1: refund rate" in play.thread()[-1]


def test_offline_evaluation_asks_for_what_makes_it_believable(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana, with_users=False)
    play.types(play.ana, "/hypothesis evidence H-1")

    play.ana.click_in_view(action_id="live:kind", block_id="kind", option="offline evaluation")
    form = read(play.ana.view)
    play.submits(
        play.ana,
        offline_metric="NDCG@10",
        baseline="0.412",
        candidate="0.431",
        data_set="Clicks of October",
        split="Last week held out",
        tuned="no",
        count="2000000",
        summary="It ranks the clicked offer higher",
    )

    assert "never a verdict" in form
    assert "strongest offline; no user feedback yet" in read(play.card())
    play.types(play.ana, "/experiment plan H-1")
    assert "No user has reacted yet" in read(play.ana.view)


def _without_experiment(reason: str = "too little traffic") -> dict[str, str]:
    return {
        "conclusion": "supported",
        "learning": "People want it",
        "amount": "20",
        "no_experiment": reason,
    }


def _buttons(message: dict[str, object]) -> set[str]:
    rows = [block for block in message["blocks"] if block["type"] == "actions"]  # type: ignore[attr-defined]  # blocks
    return {element["action_id"] for row in rows for element in row["elements"]}


@pytest.mark.parametrize("press", ["result", "stop"])
def test_button_does_what_the_command_does(play: Play, press: str) -> None:
    play.runs(play.ana)

    form = play.presses(play.ana, play.card(), press)

    shown = read(form) if form else read(play.private(play.ana))
    assert {"result": "No totals yet", "stop": "# Stop"}[press] in shown
