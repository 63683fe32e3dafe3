"""The digest's thread: a new verdict, trouble or a first readout with its chart, or its words alone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from journeys.playing import CONFIDENCE_SEQUENCE, TEAM, Play, playing, read, workspace
from labcoat.db import channels
from labcoat.demo import people
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId
from slack_sandbox.wire import Json

MONDAY = datetime(2026, 11, 30, 9, 31, tzinfo=ZoneInfo(people.ZONE))
WEEK = timedelta(days=7)


def records(play: Play, treatment: str = "1400/10000") -> None:
    play.types(play.ana, f"/experiment record E-1 control=1000/10000 treatment={treatment}")


def runs_with_a_result(play: Play) -> None:
    play.runs(play.ana, design=CONFIDENCE_SEQUENCE)
    play.set_clock(play.now() + timedelta(days=2))
    records(play)


def digest_thread(play: Play) -> list[Json]:
    newest = [one for one in play.channel() if "hat we learned" in read(one)][-1]
    return play.lena.messages(people.CHANNEL, thread=newest["ts"])[1:]


def picture(message: Json) -> Json:
    return next(block for block in message["blocks"] if block["type"] == "image")


def test_a_first_readout_comes_with_its_chart_in_the_thread(play: Play) -> None:
    runs_with_a_result(play)

    play.move_to(MONDAY)

    (reply,) = digest_thread(play)
    assert "E-1 Show fresh offers first" in read(reply)
    assert picture(reply)["slack_file"]["id"].startswith("F")
    assert "orders per user, treatment: +40 %" in picture(reply)["alt_text"]


def test_the_same_verdict_is_not_shown_again(play: Play) -> None:
    runs_with_a_result(play)
    play.move_to(MONDAY)
    records(play, "1410/10010")

    play.move_to(MONDAY + WEEK)

    assert digest_thread(play) == []


def test_without_the_scopes_for_files_the_words_stand_alone(database_url: str) -> None:
    scopes = tuple(scope for scope in people.workspace().bot.scopes if not scope.startswith("files:"))
    with playing(database_url, slack=workspace(scopes=scopes)) as play:
        runs_with_a_result(play)
        play.move_to(MONDAY)

        (reply,) = digest_thread(play)
        assert "The chart could not be drawn this time" in read(reply)
        assert "+40 %" in read(reply)


def test_a_fault_while_uploading_costs_the_picture_and_nothing_else(play: Play) -> None:
    runs_with_a_result(play)
    play.slack.faults.add("files.getUploadURLExternal", "error_500")

    play.move_to(MONDAY)

    (reply,) = digest_thread(play)
    assert "+40 %" in read(reply)
    assert len(play.keys()) == len(set(play.keys()))


def test_a_digest_on_demand_has_a_thread_of_its_own(play: Play) -> None:
    runs_with_a_result(play)

    play.asks(play.ana, "/experiment digest now")

    assert len(digest_thread(play)) == 1


def test_no_picture_is_orphaned_in_the_channel(play: Play) -> None:
    runs_with_a_result(play)
    play.slack.faults.add("chat.postMessage", "error_500", times=1)

    play.move_to(MONDAY)
    for _ in range(3):
        play.deliver()

    loose = [one for one in play.channel() if any(block["type"] == "image" for block in one.get("blocks", []))]
    assert [one for one in loose if one.get("thread_ts") in (None, one["ts"])] == []


def test_a_detailed_digest_has_the_whole_learning(play: Play) -> None:
    learning = "People want fewer offers, not fresher ones, " * 8
    with play.bot.database.writing() as tx:
        detailed = ChannelSettings(is_detailed=True)
        channels.save(tx, TEAM, ChannelId(people.CHANNEL), detailed, version=0)
    play.files(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, outcome="refuted", learning=learning, days_spent="1")

    play.move_to(MONDAY)

    assert learning.strip() in play.digests()[-1]
