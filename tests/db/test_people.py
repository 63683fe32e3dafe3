"""People are asked about once a day; what they chose themselves stays."""

from datetime import timedelta

from builders import LEAD, NOW, OTHER, OWNER, WORKSPACE
from labcoat.db import people
from labcoat.db.database import Database
from labcoat.domain.ids import WorkspaceId
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
