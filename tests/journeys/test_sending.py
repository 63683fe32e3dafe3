"""Results over HTTP: the whole way from a program's request to what people read in Slack."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from journeys.playing import E1, H1, TEAM, Play, read
from journeys.sending import GOOD, ORDERS, Program, a_program, run_experiment, share, totals
from labcoat.db import looks
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.look import Look


@pytest.fixture
def running(play: Play) -> Play:
    run_experiment(play)
    return play


@pytest.fixture
def program(running: Play) -> Program:
    return a_program(running)


def test_what_a_program_sends_is_read_in_slack_with_its_name(running: Play, program: Program) -> None:
    answer = program.send(GOOD)
    running.deliver()

    assert answer.status_code == 201
    assert answer.json()["recorded"] == [ORDERS]
    assert answer.json()["sent_by"] == "CI pipeline (API)"
    assert answer.json()["look"] == {
        "verdict": "too early",
        "is_final": False,
        "treatments": [{"treatment": "treatment", "verdict": "too early", "metric": None}],
    }
    assert "CI pipeline (API) sent totals for E-1: orders per user" in running.thread()
    assert "+40 %" in running.asks(running.ana, "/experiment result E-1")
    assert "E-1" in read(running.card())


def test_ids_are_read_as_people_write_them(program: Program) -> None:
    assert [program.send(GOOD, to=written).status_code for written in ("E-1", "e1", "e-1")] == [201, 201, 201]


def looks_of(play: Play, number: int) -> list[Look]:
    with play.bot.database.reading() as tx:
        return looks.list_of(tx, TEAM, ExperimentNumber(number))


def test_the_same_totals_make_the_same_look_by_whatever_way_they_come(play: Play) -> None:
    since = play.now() + timedelta(minutes=5)
    for number, change in enumerate(("Fresh offers first", "Cheaper delivery", "A longer guarantee"), start=1):
        play.files(play.ana, change)
        play.plans(play.ana, f"H-{number}")
        play.set_clock(since)
        play.starts(play.ana, f"E-{number}", since=int(since.timestamp()))
    as_of = datetime.fromtimestamp(int((since + timedelta(days=20)).timestamp()) // 60 * 60, UTC)
    play.set_clock(as_of + timedelta(hours=1))

    a_program(play).send({**totals(share(1000, 10_000), share(1400, 10_010)), "as_of": as_of.isoformat()}, to="E-1")
    play.types(play.ana, "/experiment record E-2")
    play.submits(play.ana, totals_0="1000/10000", totals_1="1400/10010", as_of=int(as_of.timestamp()))
    play.types(play.ana, "/experiment record E-3")
    file = play.ana.upload("t.csv", b"variant,n,successes\ncontrol,10000,1000\ntreatment,10010,1400\n")
    play.submits(play.ana, file=[file], as_of=int(as_of.timestamp()))

    sent, typed, from_file = (looks_of(play, number) for number in (1, 2, 3))
    assert len(sent) == len(typed) == len(from_file) == 1
    assert sent[0].readout is not None
    assert sent[0].readout == typed[0].readout == from_file[0].readout
    assert sent[0].sample == typed[0].sample == from_file[0].sample
    assert sent[0].as_of == typed[0].as_of == from_file[0].as_of == as_of


def test_a_sending_that_is_repeated_has_one_effect_and_one_answer(running: Play, program: Program) -> None:
    first, again = program.send(GOOD, key="run-1"), program.send(GOOD, key="run-1")

    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert len(looks_of(running, E1)) == 1


def test_a_key_names_one_sending_only(running: Play, program: Program) -> None:
    program.send(GOOD, key="run-1")

    other_body = program.send(totals(share(1001, 10_000), share(1400, 10_000)), key="run-1")
    other_experiment = program.send(GOOD, key="run-1", to="E-2")

    assert (other_body.status_code, other_experiment.status_code) == (409, 409)
    assert other_body.json()["reason"] == "key used before"
    assert len(looks_of(running, E1)) == 1


def test_a_key_belongs_to_its_token(running: Play, program: Program) -> None:
    program.send(GOOD, key="run-1")

    assert (
        a_program(running, name="Another")
        .send(totals(share(1001, 10_000), share(1402, 10_000)), key="run-1")
        .is_success
    )


def test_what_was_refused_is_decided_anew_under_the_same_key(program: Program) -> None:
    refused = program.send(totals(share(10_001, 10_000), share(1400, 10_000)), key="run-1")

    assert refused.status_code == 422
    assert program.send(GOOD, key="run-1").status_code == 201


def test_of_many_at_once_with_one_key_one_is_stored(play_on_both: Play) -> None:
    run_experiment(play_on_both)
    program = a_program(play_on_both)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: program.send(GOOD, key="run-1"), range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(looks_of(play_on_both, E1)) == 1


@pytest.mark.usefixtures("a_bug")
def test_an_answer_that_could_not_be_stored_leaves_no_totals_either(running: Play, program: Program) -> None:
    with running.bot.database.writing() as tx:
        tx.execute(text("CREATE TRIGGER broken BEFORE UPDATE ON api_answers BEGIN SELECT RAISE(ABORT, 'full'); END"))

    crashed = program.send(GOOD, key="run-1")

    assert crashed.status_code == 500
    assert crashed.headers["content-type"] == "application/problem+json"
    assert "nothing was stored" in crashed.json()["detail"]
    with running.bot.database.writing() as tx:
        tx.execute(text("DROP TRIGGER broken"))
        assert looks.newest_entries(tx, TEAM, E1) == {}
    assert program.send(GOOD, key="run-1").status_code == 201


def test_smaller_totals_ask_whether_they_correct(running: Play, program: Program) -> None:
    program.send(GOOD)
    smaller = totals(share(900, 9000), share(1300, 9000))

    refused = program.send(smaller)
    corrected = program.send({**smaller, "is_correction": True})

    assert refused.status_code == 409
    assert refused.json()["reason"] == "smaller than before"
    assert '"is_correction": true' in refused.json()["detail"]
    assert corrected.status_code == 201
    assert len(looks_of(running, E1)) == 1  # the one that rested on the wrong numbers is superseded


def test_a_draft_takes_no_totals(play: Play) -> None:
    play.files(play.ana)
    play.plans(play.ana)

    refused = a_program(play).send(GOOD)

    assert refused.status_code == 409
    assert "draft" in refused.json()["detail"]


def test_all_metrics_are_stored_or_none(running: Play, program: Program) -> None:
    body = totals(share(1000, 10_000), share(1400, 10_000))
    body["metrics"]["refunds"] = body["metrics"][ORDERS]

    refused = program.send(body)

    assert refused.status_code == 422
    assert "“refunds” is no metric of the plan" in refused.json()["detail"]
    with running.bot.database.reading() as tx:
        assert looks.newest_entries(tx, TEAM, E1) == {}


def test_no_log_has_a_token(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        program.send(GOOD)
        program.send(b"{")

    secret = program.token.rpartition("_")[2]
    assert caplog.records
    assert not any(secret in record.getMessage() for record in caplog.records if record.name != "httpcore.http11")


def test_the_story_of_a_stopped_experiment_ends_with_what_was_sent(running: Play, program: Program) -> None:
    running.stops(running.ana)

    answer = program.send(GOOD)
    running.deliver()

    assert answer.json()["look"]["is_final"]
    assert running.dossier(H1) is not None
    assert any("E-1" in line and "look" in line.casefold() for line in running.thread())
