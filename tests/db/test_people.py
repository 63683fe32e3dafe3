"""People are asked about once a day; what they chose themselves stays."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import postgres
from builders import DAY, LEAD, NOW, OTHER, OTHER_LEAD, OWNER, WORKSPACE
from labcoat.db import people, workspaces
from labcoat.db.database import Database, Transaction
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.person import Person, Standing

ELSEWHERE = WorkspaceId("T2")


def test_somebody_new_is_asked_about_once(database: Database) -> None:
    with database.writing() as tx:
        people.meet(tx, WORKSPACE, OWNER)
        people.meet(tx, WORKSPACE, OWNER)
        before = people.unchecked(tx, WORKSPACE, before=NOW)
        people.know(tx, WORKSPACE, Person(user=OWNER, zone="Asia/Kolkata"), at=NOW)

        assert before == [OWNER]
        assert people.unchecked(tx, WORKSPACE, before=NOW) == []
        assert people.unchecked(tx, WORKSPACE, before=NOW + timedelta(seconds=1)) == [OWNER]
        assert people.zones(tx, WORKSPACE) == {OWNER: "Asia/Kolkata"}
        assert people.zones(tx, ELSEWHERE) == {}


def test_what_people_chose_stays_when_slack_is_asked_again(database: Database) -> None:
    with database.writing() as tx:
        people.set_away(tx, WORKSPACE, OWNER, until=NOW, stand_in=OTHER)
        unknown = people.find(tx, WORKSPACE, OWNER)
        people.know(tx, WORKSPACE, Person(user=OWNER, standing=Standing.GUEST, zone="UTC"), at=NOW)

        assert unknown is None
        assert people.find(tx, WORKSPACE, OWNER) == Person(
            user=OWNER, standing=Standing.GUEST, zone="UTC", away_until=NOW, stand_in=OTHER
        )


def test_only_those_are_away_whose_time_has_not_passed(database: Database) -> None:
    with database.writing() as tx:
        people.set_away(tx, WORKSPACE, OWNER, until=NOW, stand_in=None)
        people.set_away(tx, WORKSPACE, LEAD, until=NOW + timedelta(days=1), stand_in=OTHER)

        assert list(people.away(tx, WORKSPACE, NOW)) == [LEAD]


def test_admins_are_known_by_what_slack_said(database: Database) -> None:
    with database.writing() as tx:
        people.know(tx, WORKSPACE, Person(user=LEAD, is_admin=True), at=NOW)
        people.know(tx, WORKSPACE, Person(user=OWNER), at=NOW)

        assert people.admins(tx, WORKSPACE) == [LEAD]
        assert set(people.among(tx, WORKSPACE, [LEAD, OTHER])) == {LEAD}


def test_whoever_changes_the_leads_does_not_wait_for_another_who_does(postgres_server: postgres.Server) -> None:
    """Both read who leads before either writes; with a lock on it each would wait for the other for ever."""
    with postgres_server.shared_database() as url, ThreadPoolExecutor(2) as both:
        database = Database(url)
        with database.writing() as tx:
            workspaces.set_leads(tx, WORKSPACE, [LEAD], from_settings=False)
        have_read = Barrier(2)

        def change(wanted: UserId) -> None:
            with database.writing() as tx:
                assert people.acting(tx, WORKSPACE, wanted, keeps_leads=False).leads == (LEAD,)
                have_read.wait(timeout=30)
                workspaces.set_leads(tx, WORKSPACE, [wanted], from_settings=False)

        list(both.map(change, [OWNER, OTHER]))

        with database.reading() as tx:
            assert LEAD not in workspaces.leads(tx, WORKSPACE)
        database.dispose()


def test_acting_tells_who_acts_who_leads_and_who_is_away(tx: Transaction) -> None:
    people.set_away(tx, WORKSPACE, LEAD, until=NOW + DAY, stand_in=OTHER)

    seen = people.acting(tx, WORKSPACE, OWNER)

    assert (seen.standing, seen.is_met, seen.leads) == (Standing.MEMBER, False, (LEAD, OTHER_LEAD))
    assert seen.presence(NOW).away[LEAD].stand_in == OTHER
    assert seen.presence(NOW + 2 * DAY).away == {}
    people.meet(tx, WORKSPACE, OWNER)
    people.meet(tx, WORKSPACE, OWNER)
    assert people.acting(tx, WORKSPACE, OWNER).is_met
