"""Dossiers come back as they were saved, one saver at a time, each workspace for itself."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import JSON, column, select, table, update
from sqlalchemy.exc import NoResultFound

from builders import (
    DAY,
    E7,
    H12,
    NOW,
    OTHER,
    OWNER,
    WORKSPACE,
    a_change,
    a_dossier,
    a_full_dossier,
    a_hypothesis,
    a_prototype,
    a_request,
    an_ending,
    an_experiment,
)
from labcoat.db import dossiers, history, periods
from labcoat.db.database import Database
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.domain.dossier import Dossier
from labcoat.domain.history import Entity, HistoryEntry
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.plan import Measuring

ELSEWHERE = WorkspaceId("T2")


def save(
    database: Database, new: Dossier, *, old: Dossier | None = None, step: Step = Step.FILE, reason: str | None = None
) -> Dossier:
    with database.writing() as tx:
        return dossiers.save(tx, old, new, step=step, by=OWNER, at=NOW, reason=reason)[0]


def find(database: Database, number: int = H12) -> Dossier | None:
    with database.reading() as tx:
        return dossiers.find(tx, WORKSPACE, HypothesisNumber(number))


def read_history(database: Database) -> list[HistoryEntry]:
    with database.reading() as tx:
        return history.list_of(tx, WORKSPACE, H12)


def _edited(dossier: Dossier, change: str) -> Dossier:
    return dossier.with_hypothesis(replace(dossier.hypothesis, change=change))


def test_a_full_dossier_comes_back_equal(database: Database) -> None:
    saved = save(database, a_full_dossier())

    assert saved.hypothesis.version == 1
    assert find(database) == saved


def test_changed_parts_come_back_equal(database: Database) -> None:
    bare = save(database, a_dossier())

    full = save(database, replace(a_full_dossier(), hypothesis=bare.hypothesis), old=bare)
    changed = replace(
        full,
        experiments=(replace(full.experiments[0], stop_reason="rain"), full.experiments[1]),
        prototypes=(full.prototypes[0], replace(full.prototypes[1], cap_days=9.5)),
    )
    saved = save(database, changed, old=full)

    assert saved.hypothesis.version == 3
    assert find(database) == saved


def test_a_plan_of_before_same_day_was_asked_for_opens_unchanged(database: Database) -> None:
    """The database is made to hold what the version before wrote: no `same_day` beside the window."""
    frozen = Measuring(window_days=7, pre_period_days=14, cap=500)
    full = a_full_dossier()
    plan = full.experiments[0].plan
    metrics = (replace(plan.metrics[0], measuring=frozen), *plan.metrics[1:])
    first = replace(full.experiments[0], plan=replace(plan, metrics=metrics))
    saved = save(database, replace(full, experiments=(first, *full.experiments[1:])))
    stored = table("experiments", column("number"), column("plan", JSON))
    with database.writing() as tx:
        mine = stored.c.number == first.number
        written = tx.execute(select(stored.c.plan).where(mine)).scalar_one()
        assert written["metrics"][0]["measuring"].pop("same_day", "none") is None
        tx.execute(update(stored).where(mine).values(plan=written))

    assert find(database) == saved
    assert saved.experiments[0].plan.metrics[0].measuring == frozen


def test_many_are_read_by_number_with_their_own_parts(database: Database) -> None:
    two = save(database, a_dossier(an_experiment(number=2), number=2))
    one = save(database, a_dossier(number=1, prototypes=(a_prototype(),)))

    with database.reading() as tx:
        found = dossiers.read_many(tx, WORKSPACE, [HypothesisNumber(number) for number in (2, 1, 99)])

    assert found == [one, two]


def test_an_experiment_leads_to_its_hypothesis(database: Database) -> None:
    saved = save(database, a_dossier(an_experiment()))

    with database.reading() as tx:
        assert dossiers.find_of_experiment(tx, WORKSPACE, E7) == saved
        assert dossiers.find_of_experiment(tx, WORKSPACE, ExperimentNumber(99)) is None


def test_another_workspaces_ids_are_never_found(database: Database) -> None:
    save(database, a_full_dossier())
    entry = read_history(database)[0]

    with database.reading() as tx:
        assert dossiers.find(tx, ELSEWHERE, H12) is None
        assert dossiers.find_of_experiment(tx, ELSEWHERE, E7) is None
        assert dossiers.list_hypotheses(tx, ELSEWHERE) == []
        assert history.list_of(tx, ELSEWHERE, H12) == []
        with pytest.raises(NoResultFound):
            history.get(tx, ELSEWHERE, entry.id)


def test_two_workspaces_have_their_own_h_12(database: Database) -> None:
    mine = save(database, a_dossier(an_experiment()))
    theirs = replace(a_dossier(an_experiment()), hypothesis=a_hypothesis(workspace=ELSEWHERE, owner=OTHER))
    saved = save(database, theirs)

    save(database, _edited(saved, "Theirs"), old=saved)

    assert find(database) == mine


def test_history_has_old_and_new_of_every_change(database: Database) -> None:
    filed = save(database, a_dossier())
    moved = replace(filed, hypothesis=replace(filed.hypothesis, stage=Stage.PROTOTYPE), prototypes=(a_prototype(),))
    begun = save(database, moved, old=filed, step=Step.PROTOTYPE)
    raised = replace(begun, prototypes=(replace(begun.prototypes[0], cap_days=5),))
    save(database, raised, old=begun, step=Step.RAISE_CAP, reason="nearly there")

    first, second, third = read_history(database)

    assert (first.step, first.by, first.at) == (Step.FILE, OWNER, NOW)
    assert first.find(Entity.HYPOTHESIS, "owner") == a_change("owner", None, OWNER)
    assert second.find(Entity.HYPOTHESIS, "stage") == a_change("stage", "hypothesize", "prototype")
    assert a_change("prototype 1 summary", None, "Sort twenty result pages by hand") in second.changes
    assert (third.reason, third.changes) == ("nearly there", (a_change("prototype 1 cap_days", 3, 5),))


def test_history_names_what_belongs_to_an_experiment(database: Database) -> None:
    draft = save(database, a_dossier(an_experiment()))
    running = replace(draft.experiments[0], state=ExperimentState.RUNNING, since=NOW)
    save(database, draft.with_experiment(running), old=draft, step=Step.START)

    changes = read_history(database)[-1].changes

    assert a_change("E-7 state", "draft", "running") in changes
    assert a_change("E-7 since", None, "2026-11-25T12:00:00Z") in changes


def test_history_only_grows(database: Database) -> None:
    one = save(database, a_dossier())
    before = read_history(database)
    two = save(database, _edited(one, "Two"), old=one, step=Step.EDIT)
    save(database, _edited(two, "Three"), old=two, step=Step.EDIT)

    after = read_history(database)

    assert after[:1] == before
    assert [entry.changes for entry in after[1:]] == [
        (a_change("change", "Show fresh offers first", "Two"),),
        (a_change("change", "Two", "Three"),),
    ]
    assert {name for name in vars(history) if not name.startswith("_")} & {"add", "update", "delete", "save"} == set()


def test_the_second_saver_of_one_version_is_told(database: Database) -> None:
    read = save(database, a_dossier())
    save(database, _edited(read, "First"), old=read, step=Step.EDIT)

    with pytest.raises(ChangedMeanwhileError):
        save(database, _edited(read, "Second"), old=read, step=Step.EDIT)

    found = find(database)
    assert found is not None
    assert (found.hypothesis.change, len(read_history(database))) == ("First", 2)


def test_of_two_savers_at_the_same_time_one_wins(database: Database) -> None:
    read = save(database, a_dossier())
    both_ready = Barrier(2)

    def save_as(change: str) -> bool:
        both_ready.wait(timeout=10)
        try:
            save(database, _edited(read, change), old=read, step=Step.EDIT)
        except ChangedMeanwhileError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        won = list(threads.map(save_as, ("First", "Second")))

    found = find(database)
    assert found is not None
    assert sorted(won) == [False, True]
    assert found.hypothesis.change == ("First" if won[0] else "Second")
    assert len(read_history(database)) == 2


def test_a_refused_save_leaves_nothing_behind(database: Database) -> None:
    read = save(database, a_dossier())
    save(database, _edited(read, "First"), old=read)

    with pytest.raises(ChangedMeanwhileError):
        save(database, replace(a_full_dossier(), hypothesis=read.hypothesis), old=read)

    found = find(database)
    assert found is not None
    assert (found.prototypes, found.experiments) == ((), ())


def test_lists_are_filtered_and_newest_first(database: Database) -> None:
    save(database, a_dossier(number=1))
    save(database, a_dossier(number=2, owner=OTHER))
    save(database, a_dossier(number=3, ending=an_ending(at=NOW - DAY)))
    save(database, a_dossier(number=4, stage=Stage.PROTOTYPE))
    save(database, a_dossier(number=5, ending=an_ending(at=NOW - 2 * DAY)))

    with database.reading() as tx:
        everything = [one.number for one in dossiers.list_hypotheses(tx, WORKSPACE)]
        still_open = [one.number for one in dossiers.list_hypotheses(tx, WORKSPACE, is_open=True)]
        closed = [one.number for one in dossiers.list_hypotheses(tx, WORKSPACE, is_open=False)]
        mine = [one.number for one in dossiers.list_hypotheses(tx, WORKSPACE, owner=OTHER)]
        staged = [one.number for one in dossiers.list_hypotheses(tx, WORKSPACE, stage=Stage.PROTOTYPE)]
        newest = [one.number for one in dossiers.list_hypotheses(tx, WORKSPACE, limit=1)]

    assert everything == [4, 2, 1, 3, 5]  # the open ones, then the closed ones by when they were closed
    assert (still_open, closed, mine, staged, newest) == ([4, 2, 1], [3, 5], [2], [4], [4])


def test_a_channel_has_its_open_and_newly_closed_ones(database: Database) -> None:
    save(database, a_dossier(number=1))
    save(database, a_dossier(number=2, ending=an_ending(at=NOW)))
    save(database, a_dossier(number=3, ending=an_ending(at=NOW - 9 * DAY)))
    save(database, a_dossier(number=4, channel=ChannelId("C2")))

    with database.reading() as tx:
        home = a_dossier().hypothesis.channel
        found = dossiers.open_or_ended_since(tx, WORKSPACE, {home: NOW - 7 * DAY, ChannelId("C2"): NOW - 99 * DAY})
        channels = periods.digest_channels(tx, before=NOW.date())

    assert {channel: sorted(numbers) for channel, numbers in found.items()} == {home: [1, 2], "C2": [4]}
    assert sorted(one.channel for one in channels) == ["C1", "C2"]


def test_only_a_waiting_request_expires(database: Database) -> None:
    asked = save(database, a_dossier(prototypes=(a_prototype(),), number=2, requests=(a_request(experiment=None),)))
    save(database, a_dossier(number=5, requests=(a_request(RequestState.EXPIRED),)))

    with database.reading() as tx:
        in_time = dossiers.with_expired_request(tx, asked.requests[0].expires_at - DAY)
        expired = dossiers.with_expired_request(tx, asked.requests[0].expires_at)

    assert (in_time, expired) == ([], [(WORKSPACE, 2)])


def test_metric_names_and_the_first_filing_are_remembered(database: Database) -> None:
    save(database, a_dossier(number=1, filed_at=NOW - 3 * DAY))
    save(database, a_dossier(number=2, filed_at=NOW - 9 * DAY))

    with database.reading() as tx:
        home = a_dossier().hypothesis.channel
        (only,) = periods.digest_channels(tx, before=NOW.date())
        assert (only.channel, only.first_filed_at) == (home, NOW - 9 * DAY)
        assert dossiers.last_filed_at(tx, WORKSPACE, [home, ChannelId("C2")]) == {home: NOW - 3 * DAY}
        assert dossiers.metric_names(tx, WORKSPACE) == ["orders per user"]
