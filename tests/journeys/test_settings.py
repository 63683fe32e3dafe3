"""A channel's settings: who changes what, what comes of it, and two people at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.playing import DAY, START, TEAM, Play, read
from labcoat.db import channels, workspaces
from labcoat.demo import people
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId

HERE = ChannelId(people.CHANNEL)


def settings(play: Play, channel: ChannelId = HERE) -> ChannelSettings:
    with play.bot.database.reading() as tx:
        return channels.settings(tx, TEAM, channel)


def changes(play: Play, person: Any, **values: Any) -> None:
    play.types(person, "/experiment settings")
    play.submits(person, **values)


def test_everybody_may_change_them_and_who_did_is_told_in_private(play: Play) -> None:
    form = play.types(play.ben, "/experiment settings")
    assert form is not None
    assert "Everybody here may change them" in read(form)
    play.submits(
        play.ben,
        weekday="4",
        time="15:00",
        zone="new york",
        size="detailed",
        nudges="off",
        quiet_from="18",
        quiet_until="9",
        tags="Search, ranking,search",
    )

    said = read(play.direct(play.ben)[-1])
    assert "Digest comes: Monday 09:30 (Europe/Berlin) → Friday 15:00 (America/New_York)" in said
    assert "Digest is: compact → detailed" in said
    assert "Quiet hours: none → 18:00 to 09:00" in said
    assert "The next digest comes on Fri 27 Nov 15:00." in said
    moved = "@UBEN moved the digest to Friday 15:00 (America/New_York). The next one comes on Fri 27 Nov 15:00."
    assert moved in read(play.channel()[-1])
    assert settings(play).tags == ("search", "ranking")


def test_what_is_no_digest_time_stays_out_of_the_channel(play: Play) -> None:
    before = len(play.channel())

    changes(play, play.ana, size="detailed")

    assert len(play.channel()) == before


def test_saving_what_is_there_already_changes_and_tells_nothing(play: Play) -> None:
    changes(play, play.ana)

    assert settings(play) == ChannelSettings()
    assert play.direct(play.ana) == []


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"zone": "Atlantis"}, "zone", "“Atlantis” is no time zone or city that I know"),
        ({"quiet_from": "18"}, "quiet_until", "Quiet hours need both"),
        ({"quiet_until": "9"}, "quiet_from", "Quiet hours need both"),
        ({"quiet_from": "9", "quiet_until": "9"}, "quiet_until", "the same hour"),
        ({"tags": "x" * 41}, "tags", "41 characters; the limit is 40"),
        ({"tags": ",".join(f"t{n}" for n in range(21))}, "tags", "These are 21; the limit is 20"),
    ],
)
def test_what_cannot_be_is_said_under_its_field(play: Play, values: dict[str, Any], field: str, words: str) -> None:
    play.types(play.ana, "/experiment settings")

    assert words in play.is_refused(play.ana, **values)[field]
    assert settings(play) == ChannelSettings()


def test_the_second_of_two_is_told_and_loses_nothing(play: Play) -> None:
    play.types(play.ana, "/experiment settings")
    play.types(play.ben, "/experiment digest settings")
    play.submits(play.ana, weekday="4", tags="search")

    play.ben.submit({"size": "detailed", "tags": "ranking"})
    form = play.ben.view

    assert "Digest comes: Monday 09:30 (Europe/Berlin) → Friday 09:30 (Europe/Berlin)" in read(form)
    assert "Tags: none → search" in read(form)
    assert settings(play).is_detailed is False
    play.submits(play.ben)
    now = settings(play)
    assert (now.digest_weekday, now.is_detailed, now.tags) == (4, True, ("ranking",))


def test_from_a_direct_message_a_channel_is_picked(play: Play) -> None:
    changes(play, play.ana, size="detailed")
    direct = play.direct(play.ana)[-1]["channel"]

    play.types(play.ana, "/experiment settings", channel=direct)
    assert "Which channel?" in read(play.ana.view)
    play.ana.click_in_view(action_id="live:channel", option=people.GENERAL)
    assert play.ana.view["state"]["values"]["size"]
    play.submits(play.ana, weekday="2")

    assert settings(play, ChannelId(people.GENERAL)).digest_weekday == 2
    assert settings(play).digest_weekday == 0


def test_hypotheses_are_filed_where_the_channel_says(play: Play) -> None:
    changes(play, play.ana, home=people.GENERAL)

    play.types(play.ana, "/hypothesis Show fresh offers first")
    play.submits(play.ana, metric="orders per user", because="People told us so")

    dossier = play.dossier()
    assert dossier is not None
    assert dossier.hypothesis.channel == people.GENERAL


def test_the_digest_comes_at_the_chosen_time_and_once_a_week(play: Play) -> None:
    play.files(play.ana)
    changes(play, play.ana, weekday="4", time="15:00")
    friday = datetime(2026, 11, 27, 14, tzinfo=UTC)  # 15:00 in Berlin

    play.move_to(friday - timedelta(minutes=1))
    assert len(play.digests()) == 0
    play.move_to(friday)
    assert len(play.digests()) == 1
    changes(play, play.ana, weekday="0", time="09:30")  # the week has its digest already
    play.move_to(friday + 2 * DAY)
    assert len(play.digests()) == 1
    play.move_to(datetime(2026, 11, 30, 8, 30, tzinfo=UTC))
    assert len(play.digests()) == 2


def test_nudges_that_are_off_stay_off_and_quiet_hours_move_them(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)
    changes(play, play.ana, nudges="off")
    ten = datetime(2026, 11, 27, 9, tzinfo=UTC)  # Friday 10:00 in Berlin; the nudge was due on Thursday

    play.move_to(ten)
    assert "waits for you" not in read(play.direct(play.ana)[-1])
    changes(play, play.ana, nudges="on", quiet_from="9", quiet_until="12")
    play.move_to(ten + timedelta(minutes=119), step=timedelta(hours=1))
    assert "waits for you" not in read(play.direct(play.ana)[-1])
    play.move_to(ten + timedelta(hours=2))
    assert "One thing waits for you" in read(play.direct(play.ana)[-1])


def test_only_admins_say_who_leads_and_new_leads_hear_of_it(play: Play) -> None:
    form = play.types(play.ana, "/experiment settings")
    assert form is not None
    assert "leads" not in form["state"]["values"]
    assert "Leads: @ULENA, @UOMAR. Admins of this workspace say who leads" in read(form)
    play.ana.close()

    form = play.types(play.lena, "/experiment settings")
    assert form is not None
    assert "Always leads, by Labcoat's own settings: @ULENA, @UOMAR" in read(form)
    play.submits(play.lena, leads=[people.BEN])

    assert "@ULENA made you a lead" in read(play.direct(play.ben)[-1])
    assert "Leads: @ULENA, @UOMAR, @UBEN" in read(play.direct(play.lena)[-1])
    with play.bot.database.reading() as tx:
        assert people.BEN in workspaces.leads(tx, TEAM)


def test_a_guest_cannot_lead(play: Play) -> None:
    play.types(play.slack.person(people.GIA), "/hypothesis list")  # so that Slack was asked about her
    play.types(play.lena, "/experiment settings")

    said = play.is_refused(play.lena, leads=[people.GIA])

    assert "They are a guest here" in said["leads"]
