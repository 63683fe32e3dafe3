"""A typo that is corrected, as people read it: the thread, the card, the request, and whoever decided on the typo."""

import pytest

from journeys.playing import CLOSE, CONFIDENCE_SEQUENCE, DAY, START, Play, read
from journeys.sending import a_program, share, totals
from labcoat.domain.lifecycle import RequestState, Stage

TYPO = "/experiment record E-1 control=1000/10000 treatment=1350/10000"
TRUE = "/experiment record E-1 control=1000/10000 treatment=1050/10000"
HARDLY = "/experiment record E-1 control=1000/10000 treatment=1340/10000"
UNDONE = "corrected orders per user (1,350 to 1,050 successes in treatment) of E-1: 1 look no longer counts."
SHIP = {"link": "https://example.org/1", "days_spent": "9"}


@pytest.fixture
def won(play: Play) -> Play:
    """An experiment of fifteen days whose totals were typed wrong, and read a win."""
    play.runs(play.ana, design=CONFIDENCE_SEQUENCE)
    play.set_clock(START + 15 * DAY)
    play.asks(play.ana, TYPO)
    return play


def corrects(play: Play, text: str = TRUE) -> str:
    """Let Omar type other totals an hour later, and say that they correct the earlier ones; return what he is asked."""
    play.set_clock(play.now() + DAY / 24)
    asked = play.asks(play.omar, text)
    play.presses(play.omar, play.private(play.omar), "correct")
    return asked


def stops_and_asks(play: Play) -> None:
    """Stop it with the last look at the typo, and ask Lena."""
    play.set_clock(play.now() + DAY / 24)
    play.stops(play.ana)
    play.asks_lead(play.ana)


def approves(play: Play) -> None:
    play.presses(play.lena, play.direct(play.lena)[-1], "approve")
    play.submits(play.lena)


def state(play: Play) -> tuple[Stage, list[RequestState]]:
    dossier = play.dossier()
    assert dossier is not None
    return dossier.hypothesis.stage, [request.state for request in dossier.requests]


def test_thread_and_card_say_what_was_corrected_and_what_that_undid(won: Play) -> None:
    asked = corrects(won)

    assert "smaller than the last ones for orders per user (control 1,000/10,000; treatment 1,350/10,000)" in asked
    assert "Correct the earlier entry?" in asked
    line = next(line for line in won.thread() if "corrected" in line and "@UOMAR" in line)
    assert line == f"@UOMAR {UNDONE} It was a win; now there is no clear effect yet."
    card = read(won.card())
    assert "No clear effect yet: " in card
    assert "Win" not in card
    assert "Corrected on Wed 9 Dec" in card


def test_the_note_goes_with_the_next_look(won: Play) -> None:
    corrects(won)

    won.set_clock(won.now() + DAY)
    won.asks(won.ana, "/experiment record E-1 control=1100/11000 treatment=1160/11000")

    assert "Corrected on" not in read(won.card())


def test_the_same_moment_with_other_numbers_asks_in_the_form(won: Play) -> None:
    now = int(won.now().timestamp())
    won.types(won.ana, "/experiment record E-1")
    numbers = {"totals_0": "1100/11000", "totals_1": "1490/11000"}

    refused = won.is_refused(won.ana, **numbers, as_of=now - 3600)
    won.submits(won.ana, **numbers, as_of=now - 3600, correct=["correct"])

    assert "there are other totals as of the same moment or later" in refused["correct"]
    assert any("1,000 to 1,100 successes, 10,000 to 11,000 units in control" in line for line in won.thread())


def test_since_when_it_was_wrong_is_asked_in_the_form(won: Play) -> None:
    first = int(won.now().timestamp())
    for day in (1, 2):
        won.set_clock(START + (15 + day) * DAY)
        won.asks(won.ana, f"/experiment record E-1 control=10{day}0/10{day}00 treatment=13{day + 5}0/10{day}00")
    won.types(won.ana, "/experiment record E-1")

    won.submits(won.ana, totals_0="1020/10200", totals_1="1070/10200", wrong_since=first)

    assert any("corrected orders per user" in line and "3 looks no longer count." in line for line in won.thread())


def test_a_pasted_table_and_a_file_correct_too(won: Play) -> None:
    table = "variant,n,successes\ncontrol,10000,1000\ntreatment,10000,{}"
    won.set_clock(won.now() + DAY / 24)
    won.types(won.ana, "/experiment record E-1")

    assert "Totals only grow" in won.is_refused(won.ana, table=table.format(1300))["correct"]
    won.submits(won.ana, table=table.format(1300), correct=["correct"])
    won.set_clock(won.now() + DAY / 24)
    won.types(won.ana, "/experiment record E-1")
    file = won.ana.upload("totals.csv", table.format(1050).encode())
    done = won.ana.submit({"file": [file], "correct": ["correct"]})
    assert done.errors == {}
    if won.ana.find_view() is not None:  # this machine was too busy for the form's patience
        won.ana.close()
        won.bot.jobs.work_on_files()
    won.deliver()

    assert "@UANA corrected orders per user (1,350 to 1,300 successes in treatment)" in "\n".join(won.thread())
    assert "@UANA, with totals.csv, corrected orders per user (1,300 to 1,050" in "\n".join(won.thread())


def test_a_program_corrects_and_says_since_when(won: Play) -> None:
    program = a_program(won)
    won.set_clock(won.now() + DAY / 24)
    true = totals(share(1000, 10_000), share(1050, 10_000))

    refused = program.send(true)
    odd = program.send({**true, "wrong_since": START.isoformat()})
    corrected = program.send({**true, "is_correction": True, "wrong_since": START.isoformat()})
    again = program.send({**true, "as_of": won.now().isoformat()})
    won.deliver()

    assert (refused.status_code, refused.json()["reason"]) == (409, "smaller than before")
    assert 'If so, send it again with "is_correction": true.' in refused.json()["detail"]
    assert odd.status_code == 422
    assert 'send it with "is_correction": true' in odd.json()["detail"]
    assert corrected.status_code == 201
    assert corrected.json()["look"]["verdict"] == "keep collecting"
    assert again.status_code == 201
    assert any(f"CI pipeline (API) {UNDONE}" in line for line in won.thread())


def test_a_program_that_sends_the_same_again_is_told_so(won: Play) -> None:
    program = a_program(won)
    now = won.now().isoformat()
    more = totals(share(1100, 11_000), share(1480, 11_000), as_of=now)
    program.send(more)
    before = len(won.thread())

    again = program.send(more)
    other = program.send(totals(share(1101, 11_000), share(1480, 11_000), as_of=now))
    won.deliver()

    assert again.status_code == 201
    assert (again.json()["recorded"], again.json()["look"]) == ([], None)
    assert again.json()["says"] == "These numbers are already stored; nothing changed."
    assert (other.status_code, other.json()["reason"]) == (409, "others already stored")
    assert len(won.thread()) == before + 2  # of the first sending: who sent, and the look


def test_a_request_that_rested_on_the_typo_is_withdrawn_and_asked_again(won: Play) -> None:
    stops_and_asks(won)

    corrects(won)

    assert state(won) == (Stage.EXPERIMENT, [RequestState.WITHDRAWN])
    request = read(won.direct(won.lena)[-1])
    assert "the totals were corrected; the verdict was “win”, and is “" in request
    assert "[Approve]" not in request
    told = won.direct(won.ana)[-1]
    assert "Withdrawn on Wed 9 Dec" in read(told)
    assert "what you wrote is kept" in read(told)
    form = won.presses(won.ana, told, "ask")
    assert form is not None
    assert "Fresh offers bring orders" in read(form)
    withdrawn = [line for line in won.thread() if "The request for H-1 was withdrawn" in line]
    assert len(withdrawn) == 1


def test_a_request_whose_verdict_is_the_same_says_so_and_waits(won: Play) -> None:
    stops_and_asks(won)

    corrects(won, HARDLY)

    assert state(won) == (Stage.EXPERIMENT, [RequestState.WAITING])
    request = read(won.direct(won.lena)[-1])
    assert "The totals were corrected since; the verdict is the same." in request
    assert "[Approve]" in request


def test_a_lead_who_has_the_form_open_reads_what_changed(won: Play) -> None:
    stops_and_asks(won)
    won.presses(won.lena, won.direct(won.lena)[-1], "approve")
    corrects(won, HARDLY)

    won.lena.submit({"reason": "Go"})

    assert "The totals were corrected." in read(won.lena.view)
    assert state(won)[1] == [RequestState.WAITING]


def test_a_lead_who_has_the_form_of_a_withdrawn_request_open_reads_why(won: Play) -> None:
    stops_and_asks(won)
    won.presses(won.lena, won.direct(won.lena)[-1], "approve")
    corrects(won)

    won.lena.submit({"reason": "Go"})

    said = read(won.lena.view)
    assert "This request was already withdrawn on Wed 9 Dec" in said
    assert "the totals were corrected; the verdict was “win”" in said
    assert state(won) == (Stage.EXPERIMENT, [RequestState.WITHDRAWN])


def test_who_approved_the_typo_is_told_and_takes_it_back(won: Play) -> None:
    stops_and_asks(won)
    approves(won)
    refused = won.asks(won.omar, "/experiment record E-1 control=2000/20000 treatment=2700/20000")
    assert "It takes no new totals any more; if earlier ones were wrong, correct them." in refused

    corrects(won)

    for person in (won.lena, won.ana):
        said = read(won.direct(person)[-1])
        assert "The totals behind H-1 were corrected after it was approved. It was a win; now there is" in said
        assert f"@UOMAR {UNDONE.replace('1 look no longer counts', '2 looks no longer count')}" in said
        assert "[Reopen]" in said
    form = won.presses(won.lena, won.direct(won.lena)[-1], "reopen")
    assert form is not None
    assert "It goes back to the stage “experiment”. The approval stays in its history" in read(form)
    won.submits(won.lena, reason="The win was a typo")
    assert state(won) == (Stage.EXPERIMENT, [RequestState.APPROVED])
    assert "Reopened: it was approved by @ULENA on" in read(won.card())
    assert any("reopened H-1, which was approved; it is back at the stage “experiment”" in one for one in won.thread())


def test_who_approved_is_told_that_nothing_changed(won: Play) -> None:
    stops_and_asks(won)
    approves(won)

    corrects(won, HARDLY)

    said = read(won.direct(won.lena)[-1])
    assert "It is still a win." in said
    assert "Nothing that you decided on has changed." in said
    assert "[Reopen]" not in said


def test_of_what_was_shipped_a_lead_takes_it_back(won: Play) -> None:
    stops_and_asks(won)
    approves(won)
    won.types(won.ana, "/experiment ship H-1")
    form = won.ana.view
    chosen = next(block for block in form["blocks"] if block.get("block_id") == "tenfold")
    won.submits(won.ana, tenfold=[one["value"] for one in chosen["element"]["options"]], **SHIP)

    corrects(won)

    assert "corrected after it was shipped. It was a win; now there is" in read(won.direct(won.ana)[-1])
    assert "The totals were corrected on Wed 9 Dec, after it was closed: there is" in read(won.card())
    won.presses(won.ana, won.direct(won.ana)[-1], "reopen")
    assert "only a lead can reopen it" in read(won.direct(won.ana)[-1]) or won.ana.find_view() is None
    won.presses(won.lena, won.direct(won.lena)[-1], "reopen")
    won.submits(won.lena, reason="The win was a typo")
    assert state(won)[0] is Stage.PRODUCTIONIZE


def test_a_closed_one_is_corrected_from_its_card(won: Play) -> None:
    won.stops(won.ana)
    won.types(won.ana, "/hypothesis close H-1")
    won.submits(won.ana, **CLOSE, overrides="A lead told us to stop")
    won.set_clock(won.now() + DAY / 24)

    won.types(won.ana, "/experiment record E-1")
    new = {"totals_0": "2000/20000", "totals_1": "2700/20000"}
    assert "is closed" in " ".join(won.is_refused(won.ana, **new).values())
    won.submits(won.ana, totals_0="1000/10000", totals_1="1050/10000", correct=["correct"])

    assert "Corrected on Wed 9 Dec" in read(won.card())
    assert "The totals behind H-1 were corrected after it was closed." in read(won.direct(won.ana)[-1])


@pytest.mark.parametrize("text", ["NaN", "inf", "-inf"])
def test_no_number_is_no_correction(won: Play, text: str) -> None:
    won.types(won.ana, "/experiment record E-1")

    errors = won.is_refused(won.ana, totals_0=f"{text}/10000", totals_1="1000/10000", correct=["correct"])

    assert "can't be read here" in errors["totals_0"]
