"""A channel's settings are saved once of two who save at once, and its digest is due when it says."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time
from threading import Barrier

import pytest

from builders import CHANNEL, DAY, NOW, OTHER, OWNER, WORKSPACE, a_dossier, refused
from labcoat.db import channels, people
from labcoat.db.database import Database, Transaction
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.domain.channel import ChannelSettings, read_zone
from labcoat.domain.ids import UserId
from labcoat.domain.notice import NoticeKind
from labcoat.domain.person import Person
from labcoat.domain.refusal import Reason
from labcoat.usecases.people import digests, settings
from usecases.storing import Told, stored, told

FRIDAY = replace(ChannelSettings(), digest_weekday=4, digest_time=time(15), zone="America/New_York")


def _save(tx: Transaction, new: ChannelSettings, *, by: UserId = OWNER) -> None:
    shown = settings.show(tx, WORKSPACE, CHANNEL, by=by)
    settings.save(tx, WORKSPACE, shown, new, leads=None, zone="UTC", now=NOW)


def test_who_changed_them_is_told_and_the_channel_of_the_digests_time_only(tx: Transaction) -> None:
    _save(tx, replace(ChannelSettings(), is_detailed=True))
    assert told(tx) == [Told(NoticeKind.SETTINGS, OWNER)]

    _save(tx, FRIDAY, by=OTHER)
    assert told(tx)[1:] == [Told(NoticeKind.SETTINGS, OTHER), Told(NoticeKind.SETTINGS, CHANNEL)]


def test_of_two_at_the_same_time_one_is_told_to_read_again(database: Database) -> None:
    both_ready = Barrier(2)

    def save(weekday: int) -> bool:
        with database.reading() as tx:
            shown = settings.show(tx, WORKSPACE, CHANNEL, by=OWNER)
        both_ready.wait(timeout=10)
        try:
            with database.writing() as tx:
                new = replace(shown.settings, digest_weekday=weekday)
                settings.save(tx, WORKSPACE, shown, new, leads=None, zone="UTC", now=NOW)
        except ChangedMeanwhileError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        won = list(threads.map(save, (2, 3)))

    with database.reading() as tx:
        assert sorted(won) == [False, True]
        assert channels.settings(tx, WORKSPACE, CHANNEL).digest_weekday == (2 if won[0] else 3)


def test_only_an_admins_choice_of_leads_counts(tx: Transaction) -> None:
    for is_admin in (False, True):
        people.know(tx, WORKSPACE, Person(user=OWNER, is_admin=is_admin), at=NOW)
        shown = settings.show(tx, WORKSPACE, CHANNEL, by=OWNER)
        settings.save(tx, WORKSPACE, shown, shown.settings, leads=(OTHER,), zone="UTC", now=NOW)

        assert settings.show(tx, WORKSPACE, CHANNEL, by=OWNER).leads == ((OTHER,) if is_admin else ())


def test_the_digest_is_due_when_the_channel_says(tx: Transaction) -> None:
    stored(tx, a_dossier())
    _save(tx, FRIDAY)
    slot = datetime(2026, 11, 27, 20, tzinfo=UTC)  # Friday 15:00 in New York
    digests.send_due(tx, WORKSPACE, [CHANNEL], zone="UTC", now=slot - 7 * DAY)

    def is_due(now: datetime) -> bool:
        return bool(digests.due(tx, zone="UTC", now=now))

    assert [is_due(now) for now in (slot - DAY, slot - DAY / 1440, slot)] == [False, False, True]
    assert digests.send_due(tx, WORKSPACE, [CHANNEL], zone="UTC", now=slot)
    assert not is_due(slot + 2 * DAY)


@pytest.mark.parametrize("text", ["", "  ", "Europe", "Berlin/Europe", "+01:00", "x" * 3000, "../../etc/passwd"])
def test_what_is_no_time_zone_is_refused(text: str) -> None:
    with refused(Reason.NOT_A_ZONE, "zone"):
        read_zone(text)
