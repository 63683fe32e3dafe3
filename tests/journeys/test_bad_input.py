"""What people get wrong: each gets a clear answer where they are, and nothing is stored."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from journeys.playing import (
    DAY,
    E1,
    FILE,
    NO_PROTOTYPE,
    PLAN,
    PROTOTYPE,
    START,
    TEAM,
    Play,
    command_fields,
    playing,
    read,
)
from labcoat.db import looks, people
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.person import Person
from slack_sandbox import outbound, serving


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Play]:
    """A play for all that changes nothing: H-1 is filed, H-2 runs as E-1 since yesterday."""
    path = tmp_path_factory.mktemp("unchanged") / "labcoat.db"
    shutil.copy(migrated_sqlite, path)
    with playing(f"sqlite:///{path}") as play:
        play.files(play.ana)
        play.runs(play.ana, "Bigger photos", number=2)
        play.set_clock(START + DAY)
        before = play.dossier(1), play.dossier(2), len(play.keys())
        yield play
        assert before == (play.dossier(1), play.dossier(2), len(play.keys()))
        with play.bot.database.reading() as tx:
            assert looks.newest_entries(tx, TEAM, E1) == {}


def test_unknown_sub_command_is_answered_with_where_help_is(unchanged: Play) -> None:
    answer = unchanged.asks(unchanged.ana, "/experiment frobnicate the widgets")

    assert "“/experiment frobnicate the widgets” is not something I know" in answer
    assert "/experiment help" in answer


def test_command_without_its_id_asks_which_one(unchanged: Play) -> None:
    assert "Which one?" in unchanged.asks(unchanged.ana, "/experiment result")


@pytest.mark.parametrize("words", ["show H-99", "prototype H-99", "result E-99", "record E-99 control=1/2", "ask 99"])
def test_unknown_id_is_answered_with_where_the_list_is(unchanged: Play, words: str) -> None:
    answer = unchanged.asks(unchanged.ana, f"/experiment {words}")

    assert "There is no" in answer
    assert "99 here. /hypothesis list shows what there is." in answer


def test_id_that_no_database_could_hold_is_just_unknown(unchanged: Play) -> None:
    assert "There is no H-999999999 here" in unchanged.asks(unchanged.ana, "/hypothesis show H-999999999")


def test_another_workspaces_id_is_unknown_here(unchanged: Play) -> None:
    with unchanged.bot.database.writing() as tx:
        people.know(tx, WorkspaceId("T0OTHER"), Person(user=UserId("UEVE")), at=START)
    stranger = unchanged.send(command_fields("/hypothesis show H-1", team="T0OTHER", user="UEVE"))
    listed = unchanged.send(command_fields("/hypothesis list", team="T0OTHER", user="UEVE"))

    assert "There is no H-1 here" in stranger.json()["text"]
    assert "none" in listed.json()["text"]


def test_slack_itself_asks_for_what_is_left_empty(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/hypothesis Bigger photos")

    done = unchanged.ana.submit({"because": "People said so"})

    assert done.error == "not_filled_in"
    assert list(done.errors) == ["metric"]


def test_blanks_do_not_fill_a_field(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/hypothesis Bigger photos")

    refused = unchanged.is_refused(unchanged.ana, **FILE | {"because": "   "})

    assert refused == {"because": "Please fill this in."}


def test_too_long_a_text_is_refused_with_its_length(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/hypothesis")

    refused = unchanged.is_refused(unchanged.ana, **FILE, change="x" * 601)

    assert refused == {"change": "That is 601 characters; the limit is 600. Please shorten it, and link to the rest."}


def test_escaped_text_of_any_length_still_makes_a_card(play: Play) -> None:
    play.files(play.ana, "<!channel> & " * 40, because="<&>" * 333)

    card = read(play.card())

    assert "<!channel> & <!channel>" in card
    assert {block["type"] for block in play.card()["blocks"]} >= {"header", "section", "actions"}


def test_channel_mention_in_a_hypothesis_stays_text(play: Play) -> None:
    play.types(play.ana, "/hypothesis")
    play.submits(play.ana, **FILE, change="<!channel> reads this <@UBEN>")

    raw = str(play.card()["blocks"]) + play.card()["text"]

    assert "&lt;!channel&gt;" in raw
    assert "<!channel>" not in raw
    assert "<@UBEN>" not in raw


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("minimum_effect", "lots", "“lots” can't be read as an effect"),
        ("minimum_effect", "0", "not above zero"),
        ("minimum_effect", "-", "can't be read as an effect"),
        ("minimum_effect", "200 points", "can't be read as an effect"),
        ("minimum_effect", "5 %", "needs a baseline"),
        ("baseline", "a fifth", "“a fifth” can't be read here"),
        ("baseline", "120 %", "can't be read here"),
        ("variants", "control 50, treatment 40", "The shares add up to 90 %, not 100 %"),
        ("variants", "control 60, treatment 60", "The shares add up to 120 %, not 100 %"),
        ("variants", "control 100", "at least two variants"),
        ("variants", "control 100, treatment 0", "is not above zero"),
        ("variants", "a 50, A 50", "“a” is there twice"),
        ("variants", "control 50, treatment", "“treatment” can't be read here"),
        ("variants", ", ".join(f"v{n} 5" for n in range(20)), "“20 variants” is larger than can be right"),
        ("goal", "x" * 76, "That is 76 characters; the limit is 75"),
        ("guardrails", "x" * 76 + " down", "That is 76 characters; the limit is 75"),
        ("guardrails", "\n".join(f"metric {n} up" for n in range(20)), "“21 metrics” is larger than can be right"),
        ("planned_days", "a month", "“a month” can't be read here"),
        ("planned_days", "0", "not above zero"),
        ("planned_days", "4000", "larger than can be right"),
        ("guardrails", "refund rate down\nrefund rate down", "“refund rate” is there twice"),
        ("guardrails", "refund rate down, margin lots", "“lots” can't be read as an effect"),
        ("guardrails", "refund rate", "Say which way is good for “refund rate”"),
        ("variants", "control 50, new treatment 50", "“new treatment”"),
        ("unit", "  ", "Please fill this in"),
        ("ends_on", "2026-10-01", "Please fill this in"),
    ],
)
def test_plan_says_what_is_wrong_under_its_field(unchanged: Play, field: str, value: str, said: str) -> None:
    unchanged.types(unchanged.ana, "/experiment plan H-1")

    refused = unchanged.is_refused(unchanged.ana, **PLAN | NO_PROTOTYPE | {field: value})

    told_under = {"ends_on": "starts_on"}.get(field, "baseline" if "baseline" in said else field)
    assert list(refused) == [told_under]
    assert said in refused[told_under]


def test_end_before_the_start_of_past_data_is_refused(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/experiment plan H-1")

    refused = unchanged.is_refused(
        unchanged.ana,
        **PLAN | NO_PROTOTYPE | {"design": "one look at the end"},
        starts_on="2026-10-02",
        ends_on="2026-10-01",
    )

    assert "The end must be after the start" in refused["ends_on"]


@pytest.mark.parametrize(
    ("cap", "said"), [("lots", "can't be read"), ("-2", "not above zero"), ("1e12", "larger than can be right")]
)
def test_cost_cap_must_be_person_days(unchanged: Play, cap: str, said: str) -> None:
    unchanged.types(unchanged.ana, "/hypothesis prototype H-1")

    refused = unchanged.is_refused(unchanged.ana, **PROTOTYPE | {"cap": cap})

    assert said in refused["cap"]


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ("control=25000/24000 treatment=1/2", "“control” has more successes (25,000) than units (24,000)"),
        ("control=-5/100 treatment=1/2", "“-5” is below zero"),
        ("control=9999999999999/99999999999999 treatment=1/2", "larger than can be right"),
        ("control=many/24000 treatment=1/2", "“many” can't be read"),
        ("control=NaN/24000 treatment=1/2", "“NaN” can't be read"),
        ("control=1e999/24000 treatment=1/2", "larger than can be right"),
        ("control=1.5/24000 treatment=1/2", "“1.5” can't be read"),
        ("control=1/2", "The numbers of “treatment” are missing"),
        ("control=1/2 treatment=1/2 blue=1/2", "“blue” is no variant of the plan"),
        ("control=1/2 control=1/2 treatment=1/2", "“control” is there twice"),
        ("control=1200 treatment=1310", "can't be read as counts"),
        ("a lot of people liked it", "no metric of the plan"),
        ("refunds control=1/2 treatment=1/2", "“refunds” is no metric of the plan"),
    ],
)
def test_totals_that_cannot_be_are_refused_and_not_stored(unchanged: Play, totals: str, said: str) -> None:
    answer = unchanged.asks(unchanged.ana, f"/experiment record E-1 {totals}")

    assert said in answer


def test_totals_of_the_form_are_refused_under_their_field(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/experiment record E-1")

    refused = [
        unchanged.is_refused(unchanged.ana, totals_0="1200/24000", totals_1=wrong)
        for wrong in ("1/0", "lots", "5/4", "-1/4")
    ]

    assert [list(one) for one in refused] == [["totals_1"]] * 4


def test_totals_before_the_start_or_in_the_future_are_refused(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/experiment record E-1")
    totals = {"totals_0": "1/2", "totals_1": "1/2"}

    future = unchanged.is_refused(unchanged.ana, **totals, as_of=int((START + 2 * DAY).timestamp()))
    past = unchanged.is_refused(unchanged.ana, **totals, as_of=int((START - DAY).timestamp()))

    assert "still to come" in future["as_of"]
    assert "not after the experiment's start" in past["as_of"]


def test_smaller_totals_ask_whether_to_correct_the_earlier_ones(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + 15 * DAY)
    play.asks(play.ana, "/experiment record E-1 control=1200/24000 treatment=1310/24100")

    asked = play.asks(play.ana, "/experiment record E-1 control=120/2400 treatment=131/2410")
    play.presses(play.ana, play.private(play.ana), "correct")

    assert "smaller than the last ones for orders per user (control 24,000, treatment 24,100)" in asked
    assert "n 2,400 / 2,410" in play.asks(play.ana, "/experiment result E-1")


def test_totals_corrected_before_they_were_told_do_not_stop_the_story(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + 15 * DAY)
    for totals in ("control=1200/24000 treatment=1310/24100", "control=120/2400 treatment=131/2410"):
        play.ana.command("/experiment", f"record E-1 {totals}")
    play.ana.click(play.private(play.ana), action_id="correct")

    play.deliver()

    assert sum("typed in totals" in line for line in play.thread()) == 1
    assert sum("corrected orders per user" in line for line in play.thread()) == 1


def test_start_in_the_future_is_refused(play: Play) -> None:
    play.files(play.ana)
    play.plans(play.ana)
    play.types(play.ana, "/experiment start E-1")

    refused = play.is_refused(play.ana, since=int((START + DAY).timestamp()))

    assert "still to come" in refused["since"]


def test_early_stop_needs_a_reason(unchanged: Play) -> None:
    unchanged.types(unchanged.ana, "/experiment stop E-1")

    assert unchanged.ana.submit({}).error == "not_filled_in"
    assert "it stops before its planned end" in unchanged.is_refused(unchanged.ana, reason=" ")["reason"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ship H-1", "H-1 is at the stage “hypothesize”, where that step is not possible"),
        ("ask H-1", "H-1 is at the stage “hypothesize”"),
        ("evidence H-1", "H-1 is at the stage “hypothesize”"),
        ("start H-1", "H-1 is at the stage “hypothesize”"),
        ("result H-1", "H-1 has no such experiment"),
        ("decide H-1", "Nobody has asked for an approval of H-1"),
    ],
)
def test_step_that_the_stage_does_not_allow_says_what_is_next(unchanged: Play, words: str, said: str) -> None:
    assert said in unchanged.asks(unchanged.ana, f"/experiment {words}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("prototype H-2", "H-2 is at the stage “experiment”"),
        ("plan H-2", "its plan can't change"),
        ("start E-1", "E-1 is running"),
        ("ask E-1", "E-1 is running, so that is not possible. Stop it first"),
        ("again E-1", "E-1 is running"),
        ("cancel E-1", "E-1 is running"),
        ("close H-2", "E-1 is still running. Stop it first"),
    ],
)
def test_running_experiment_must_be_stopped_first(unchanged: Play, words: str, said: str) -> None:
    assert said in unchanged.asks(unchanged.ana, f"/experiment {words}")


@pytest.mark.parametrize("words", ["prototype H-1", "plan H-1", "close H-1"])
def test_closed_hypothesis_stays_closed(play: Play, words: str) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, outcome="abandoned", learning="Nothing, because nobody had time", days_spent="0")

    assert "H-1 is closed (not built), so nothing was changed" in play.asks(play.ana, f"/hypothesis {words}")


@pytest.mark.parametrize("words", ["prototype H-1", "plan H-1"])
def test_only_the_owner_may_go_on(unchanged: Play, words: str) -> None:
    assert "Only the owner of H-1 (@UANA) can do that" in unchanged.asks(unchanged.ben, f"/hypothesis {words}")


def test_plan_of_a_prototype_without_evidence_is_refused_before_the_form(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana, with_users=False)

    assert "H-1 has no evidence yet. Show the prototype to real users first" in play.asks(
        play.ana, "/experiment plan H-1"
    )


def test_evidence_from_data_alone_needs_a_reason_that_stays_visible(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana, with_users=False)
    play.types(play.ana, "/hypothesis evidence H-1")
    play.submits(play.ana, kind="SQL query", count="90000", summary="The new order ranks clicks higher")
    play.types(play.ana, "/experiment plan H-1")

    refused = play.is_refused(play.ana, **PLAN, evidence_reason="  ")
    play.submits(play.ana, evidence_reason="Users cannot see it")

    assert "No user has reacted to the prototype yet" in refused["evidence_reason"]
    assert "E-1, no user feedback yet: Users cannot see it" in read(play.card())


def test_form_that_asks_nothing_still_says_why_not(play: Play) -> None:
    play.files(play.ana)
    play.plans(play.ana, design="one look at the end", starts_on="2026-10-01", ends_on="2026-10-08")
    play.types(play.ana, "/experiment start E-1")
    play.types(play.lena, "/hypothesis close H-1")
    play.submits(play.lena, outcome="abandoned", learning="Nothing, because nobody had time", days_spent="0")

    done = play.ana.submit({})

    assert done.ok
    assert "H-1 is closed (not built), so nothing was changed" in read(play.ana.view)


def test_request_that_slack_did_not_sign_gets_nothing_done(play: Play) -> None:
    fields = command_fields("/experiment digest now")

    unsigned = play.send(fields, headers={})
    forged = play.send(fields, headers=outbound.signature("guessed", urlencode(fields).encode()))
    play.deliver()

    assert [unsigned.status_code, forged.status_code] == [401, 401]
    assert play.channel() == []


def test_exact_replay_of_a_signed_request_has_no_second_effect(play: Play) -> None:
    fields = command_fields("/experiment digest now")
    signed = outbound.signature(serving.DEFAULT_SIGNING_SECRET, urlencode(fields).encode())

    first = play.send(fields, headers=signed)
    second = play.send(fields, headers=signed)
    play.deliver()

    assert [first.status_code, second.status_code] == [200, 200]
    assert "on its way" in first.json()["text"]
    assert second.text == ""
    assert len(play.digests()) == 1


@pytest.mark.usefixtures("a_bug")
def test_bug_is_answered_with_a_reference_and_no_more(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    _rename(play, "hypotheses", "somewhere_else")

    typed = play.asks(play.ana, "/hypothesis list")
    pressed = play.ana.click(play.card(), action_id="plan")
    submitted = play.is_refused(play.ana, outcome="abandoned", learning="Nothing", days_spent="0")
    _rename(play, "somewhere_else", "hypotheses")

    said = [typed, read(play.private(play.ana)), *submitted.values()]
    assert pressed.ok
    for answer in said:
        assert answer.startswith("That didn't work, and nothing was changed. We've logged it (ref ")
        assert "hypotheses" not in answer
    assert len({answer.split("(ref ")[1] for answer in said}) == 3
    assert "H-1" in play.asks(play.ana, "/hypothesis list")


def _rename(play: Play, table: str, other: str) -> None:
    with play.bot.database.writing() as tx:
        tx.execute(text(f"ALTER TABLE {table} RENAME TO {other}"))


def test_who_is_no_lead_cannot_answer_a_request(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/experiment ask H-1")
    play.submits(
        play.ana,
        conclusion="supported",
        learning="People want it",
        amount="20",
        no_experiment="too little traffic",
        lead="ULENA",
    )

    answer = play.asks(play.ben, "/experiment decide H-1")

    assert "every lead who has no part in it may answer" in answer
    assert "[Approve]" not in answer
