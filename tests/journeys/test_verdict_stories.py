"""Verdicts as a team lives through them: three treatments, a typo, an early stop; no message contradicts another."""

import csv
import io
from collections.abc import Mapping
from math import log, sqrt

import httpx
import pytest

from journeys.playing import ASK, CONFIDENCE_SEQUENCE, DAY, START, Play, read
from journeys.sending import a_program, share
from journeys.test_correcting import TRUE, TYPO, approves, corrects, state, stops_and_asks
from journeys.witness import Witness, calls
from labcoat.demo import people
from labcoat.domain.lifecycle import RequestState, Stage
from slack_sandbox.wire import Json

ARMS = ("control", "photos_small", "photos_big", "autoplay")
SHIP: Json = {"link": "https://example.org/1", "days_spent": "9", "tenfold": []}
EARLY = {"orders per user": (4000, 4040, 4500, 4080), "refund rate": (800, 790, 810, 1440)}
LATE = {"orders per user": (12_000, 12_120, 13_200), "refund rate": (2400, 2376, 2424)}


def _body(units: int, successes: Mapping[str, tuple[int, ...]]) -> Json:
    metrics = {
        name: {arm: share(events, units) for arm, events in zip(ARMS, each, strict=False)}
        for name, each in successes.items()
    }
    return {"metrics": metrics}


def _points(control: int, treatment: int, units: int, *, comparisons: int, decimals: int = 2) -> str:
    """Return a difference in points with its interval, as people read it.

    The confidence sequence of STATISTICS.md, 5, with N* = 5,000 and alpha .05 over the comparisons, on Welch's standard
    error and on the pooled one, of which the wider holds (method 1).
    """
    big_l = -2 * log(0.05 / comparisons)
    v = 2 * units * (big_l + log(1 + big_l)) / 5000
    k = sqrt((v + 1) / v * (log(v + 1) + big_l))
    p, q = control / units, treatment / units
    half = 100 * k * sqrt((p * (1 - p) + q * (1 - q)) / units)
    difference = 100 * (q - p)
    shown, low, high = (f"{one:.{decimals}f}" for one in (difference, difference - half, difference + half))
    return f"+{shown} points ({low} to {high})"


def _picture(play: Play) -> tuple[Json, Json]:
    """Return the newest digest's first reply, and its chart."""
    digest = [one for one in play.channel() if "hat we learned" in read(one)][-1]
    reply = play.lena.messages(people.CHANNEL, thread=digest["ts"])[1]
    return reply, next(block for block in reply["blocks"] if block["type"] == "image")


@pytest.mark.parametrize(
    ("said", "is_supported"),
    [
        ("Win: +12.68 % orders per user (-0.01 to 27.16)", False),
        ("Harm on a guardrail, +81 % refund rate (-14 to 375)", False),
        ("photos_big wins: +10.0 % orders per user (5.6 to 14.6), day 15 of 28", True),
        ("autoplay (dropped) harms refund rate, +80 % (54 to 111)", True),
        ("The goal got worse: -20 % orders per user (-30 to -9)", True),
        ("photos_small makes orders per user worse: -20 % (-30 to 9)", False),
        ("Win: +19 % retained (20 to 35, as of day 15)", False),
    ],
)
def test_the_witness_sees_what_contradicts_itself(said: str, is_supported: bool) -> None:
    (one,) = calls(said, down_is_good=("guardrail", "refund rate"))

    assert one.is_supported is is_supported


def test_of_three_treatments_one_wins_and_is_shipped_and_one_harms_and_is_dropped(play: Play) -> None:
    witness = Witness(play=play, down_is_good=("refund rate",))
    play.files(play.ana, "Show photos in search results")
    play.tries(play.ana)
    play.plans(
        play.ana,
        design=CONFIDENCE_SEQUENCE,
        variants="control 25, photos_small 25, photos_big 25, autoplay 25",
        guardrails="refund rate down, margin 1 point",
    )
    play.starts(play.ana)
    program = a_program(play)

    play.set_clock(START + 5 * DAY)
    answer = program.send(_body(40_000, EARLY)).json()
    play.move_to(START + 7 * DAY)
    witness.reads()

    assert answer["says"].startswith("autoplay harms refund rate: +80 %")
    assert {one["treatment"]: one["verdict"] for one in answer["look"]["treatments"]} == {
        "autoplay": "guardrail harm",
        "photos_small": "too early",
        "photos_big": "too early",
    }
    alarm = play.direct(play.ana)[-1]
    assert "This needs you now" in read(alarm)
    assert "autoplay harms refund rate: +80 %" in read(alarm)
    assert "Drop it and the others go on: /experiment drop E-1." in read(alarm)
    of_lead = read(play.direct(play.lena)[-1])
    assert "autoplay harms refund rate" in of_lead
    assert "Its owner can drop it, and the others go on." in of_lead  # a lead can't
    assert "autoplay harms refund rate: +80 %" in play.digests()[-1]
    reply, chart = _picture(play)
    assert "photos_big: too early to tell" in read(reply)
    for arm in ARMS[1:]:
        assert f"refund rate, {arm}: " in chart["alt_text"]
    result = play.asks(play.ben, "/experiment result E-1")
    harm = _points(800, 1440, 40_000, comparisons=3)
    assert f"refund rate, autoplay (guardrail): {harm}, margin 1.00 points: harmed" in result
    assert result.index("refund rate, autoplay") < result.index("refund rate, photos_small")

    form = play.presses(play.ana, alarm, "drop:1")
    assert form is not None
    proposed = next(block for block in form["blocks"] if block.get("block_id") == "treatment")
    assert proposed["element"]["initial_option"]["value"] == "autoplay"
    play.submits(play.ana, treatment="autoplay", reason="It plays sound, and people send things back.")
    witness.reads()
    assert "Why: It plays sound, and people send things back. Its verdict stays" in play.thread()[-1]
    assert "Done, nothing of this waits any more" in read(play.direct(play.ana)[-1])

    play.set_clock(START + 15 * DAY)
    answer = program.send(_body(120_000, LATE)).json()
    play.deliver()
    witness.reads()
    win, harm_stands = "photos_big wins: +10.0 % orders per user", "autoplay (dropped) harms refund rate, +80 %"
    assert answer["look"]["verdict"] == "win"
    assert answer["look"]["treatments"][0] == {"treatment": "photos_big", "verdict": "win", "metric": "orders per user"}
    result = play.asks(play.ben, "/experiment result E-1")
    for text in (read(play.card()), play.thread()[-1], result):
        assert text.index(win) < text.index("photos_small: no clear effect yet") < text.index(harm_stands)
    assert _points(12_000, 13_200, 120_000, comparisons=3) in result
    assert "Stop it and ask a lead to release photos_big." in result
    play.move_to(START + 20 * DAY)
    assert win in play.digests()[-1]
    assert "+2 arms" in play.digests()[-1]

    play.set_clock(START + 21 * DAY)
    play.stops(play.ana, reason="Big photos won.")
    program.send(_body(168_000, {name: (*(14 * one // 10 for one in each),) for name, each in LATE.items()}))
    play.tick()
    form = play.types(play.ana, "/experiment ask H-1")
    assert form is not None
    asked = next(block for block in form["blocks"] if block.get("block_id") == "treatment")
    offered = [option["text"]["text"] for option in asked["element"]["options"]]
    assert offered[0] == "photos_big: win"
    assert "autoplay: guardrail harm, dropped" in offered
    play.submits(play.ana, **ASK)  # as it is proposed
    request = read(play.direct(play.lena)[-1])
    assert "# H-1: 20 person-days to productionize photos_big?" in request
    assert win in request
    assert harm_stands in request
    assert "refund rate: safe" in request
    assert "E-1 was stopped early: Big photos won." in request
    witness.reads()

    approves(play)
    play.types(play.ana, "/experiment ship H-1")
    assert "Approved to be built: photos_big" in read(play.ana.view)
    play.submits(play.ana, **SHIP)
    play.move_to(START + 28 * DAY)
    witness.reads()
    assert "# H-1 · Closed: supported, shipped (photos_big)" in read(play.card())
    assert any("shipped H-1: supported, shipped (photos_big)." in line for line in play.thread())
    assert "supported, shipped (photos_big)" in play.digests()[-1]
    named = {(row["treatment"], row["treatment_verdict"], row["verdict"]) for row in exported(play)["readouts"]}
    assert ("photos_big", "win", "win") in named
    assert ("autoplay", "guardrail harm", "win") in named
    assert {one.sign for one in witness.calls()} == {1}  # a win up, refunds up
    assert len(witness.calls()) > 20


def exported(play: Play) -> dict[str, list[dict[str, str]]]:
    """Let Ana ask for the export; return its rows by sheet."""
    play.asks(play.ana, "/experiment export")
    for _ in range(3):
        play.bot.jobs.work_on_files()
        play.deliver()
    headers = {"Authorization": f"Bearer {play.sandbox.slack.workspace.bot.token}"}
    found = {}
    for file in play.direct(play.ana)[-1]["files"]:
        content = httpx.get(file["url_private"], headers=headers, timeout=10, verify=False).content.decode("utf-8-sig")
        found[file["name"].split("-")[1]] = list(csv.DictReader(io.StringIO(content)))
    return found


def test_a_typo_is_undone_before_and_after_the_request(play: Play) -> None:
    witness = Witness(play=play)
    play.runs(play.ana, design=CONFIDENCE_SEQUENCE)
    play.set_clock(START + 15 * DAY)
    assert _points(1000, 1350, 10_000, comparisons=1, decimals=1) in play.asks(play.ana, TYPO)
    witness.reads()
    assert "Win: +35 % orders per user" in read(play.card())

    corrects(play)
    witness.reads()
    assert _points(1000, 1050, 10_000, comparisons=1, decimals=1) in read(play.private(play.omar))
    assert "It was a win; now there is no clear effect yet." in "\n".join(play.thread())
    assert "Win" not in read(play.card())
    assert "Win" not in play.asks(play.ben, "/experiment result E-1")

    play.set_clock(play.now() + DAY)
    play.asks(play.ana, TYPO.replace("1000/10000", "1100/11000").replace("1350/10000", "1485/11000"))
    stops_and_asks(play)
    witness.reads()
    assert "Win: +35 % orders per user" in read(play.direct(play.lena)[-1])
    corrects(play, TRUE.replace("1000/10000", "1100/11000").replace("1050/10000", "1155/11000"))
    witness.reads()

    assert state(play) == (Stage.EXPERIMENT, [RequestState.WITHDRAWN])
    request = read(play.direct(play.lena)[-1])
    assert "No clear effect: +5 % orders per user" in request
    assert "then it was “Win”" in request
    result = play.asks(play.ben, "/experiment result E-1")
    assert "It has ended. Say what was learned and choose." in result
    assert "The planned end is reached" not in "\n".join(witness.heard)  # day 16 of 28
    play.move_to(START + 21 * DAY)
    witness.reads()
    assert "No clear effect: +5 % orders per user" in play.digests()[-1]
