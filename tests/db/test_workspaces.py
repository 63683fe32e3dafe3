"""Numbers, leads and zones, each workspace for itself."""

from concurrent.futures import ThreadPoolExecutor

from builders import LEAD, NOW, OTHER, OTHER_LEAD, OWNER, WORKSPACE, a_dossier, a_request
from labcoat.db import clock, dossiers, workspaces
from labcoat.db.database import Database
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.lifecycle import Step

ELSEWHERE = WorkspaceId("T2")


def _take(database: Database, workspace: WorkspaceId = WORKSPACE) -> int:
    with database.writing() as tx:
        return workspaces.next_hypothesis(tx, workspace)


def test_numbers_count_per_workspace_without_gaps(database: Database) -> None:
    taken = [_take(database, workspace) for workspace in (WORKSPACE, WORKSPACE, ELSEWHERE, WORKSPACE, ELSEWHERE)]

    assert taken == [1, 2, 1, 3, 2]


def test_hypotheses_and_experiments_count_apart(database: Database) -> None:
    _take(database)
    with database.writing() as tx:
        assert [workspaces.next_experiment(tx, WORKSPACE) for _ in range(2)] == [1, 2]

    assert _take(database) == 2


def test_numbers_taken_at_the_same_time_differ(database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda _: _take(database), range(20)))

    assert sorted(taken) == list(range(1, 21))


def test_a_transaction_that_rolls_back_gives_its_number_back(database: Database) -> None:
    with database.reading() as tx:  # rolls back at its end
        assert workspaces.next_hypothesis(tx, WORKSPACE) == 1

    assert _take(database) == 1


def test_leads_are_replaced_as_a_whole(database: Database) -> None:
    with database.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, [OTHER_LEAD, LEAD], from_settings=True)
        workspaces.set_leads(tx, ELSEWHERE, [OTHER], from_settings=True)
        both = workspaces.leads(tx, WORKSPACE, lock=True)
        workspaces.set_leads(tx, WORKSPACE, [], from_settings=True)

        assert both == [LEAD, OTHER_LEAD]
        assert workspaces.leads(tx, WORKSPACE) == []
        assert workspaces.leads(tx, ELSEWHERE) == [OTHER]


def test_the_newest_asking_of_each_person_counts(database: Database) -> None:
    asked = a_dossier(
        requests=(
            a_request(position=1, asked_at=NOW),
            a_request(position=2, asked_at=NOW.replace(hour=3)),
            a_request(position=3, asked_of=OTHER_LEAD, asked_at=NOW.replace(hour=1)),
        )
    )
    with database.writing() as tx:
        dossiers.save(tx, None, asked, step=Step.ASK, by=OWNER, at=NOW, reason=None)

        assert workspaces.last_asked(tx, WORKSPACE) == {LEAD: NOW, OTHER_LEAD: NOW.replace(hour=1)}
        assert workspaces.last_asked(tx, ELSEWHERE) == {}


def test_business_time_moves_only_by_its_offset(database: Database) -> None:
    with database.writing() as tx:
        before = clock.offset_seconds(tx)
        clock.set_offset(tx, 3600)
        clock.set_offset(tx, 86_400)

        assert (before, clock.offset_seconds(tx)) == (0, 86_400)
        assert (clock.business_now(tx) - clock.machine_now()).total_seconds() > 86_000
