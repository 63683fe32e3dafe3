"""The migrations make the tables that the code expects, on both databases, and can be taken back."""

import csv
import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

from builders import DAY, LEAD, NOW, OWNER, WORKSPACE, a_member
from labcoat.db import baselines, dossiers, looks, migrating, people, waiting_looks, workspaces
from labcoat.db.baselines import Tried
from labcoat.db.database import Database, Transaction
from labcoat.db.tables.schema import metadata
from labcoat.domain import late_data
from labcoat.domain.baseline import Baseline
from labcoat.domain.dossier import Dossier
from labcoat.domain.file_job import ExportFormat
from labcoat.domain.findings import Findings, FoundColumn, FoundRows
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber
from labcoat.domain.late_data import Short
from labcoat.stats.results import Verdict
from labcoat.usecases.experiments import experiments, results
from labcoat.usecases.hypotheses import exports, requests
from labcoat.usecases.looks import counting
from labcoat.usecases.looks import looks as lookmaking
from labcoat.warehouse.reading import Reading
from revisions import config_of


def _differences(database: Database) -> list[object]:
    with database.writing() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def _tables(database: Database) -> set[str]:
    with database.reading() as tx:
        return set(inspect(tx).get_table_names()) - {"alembic_version"}


def _downgrade(database: Database) -> None:
    command.downgrade(config_of(database), "base")


def test_migrations_make_the_tables_of_the_code(empty_database: Database) -> None:
    migrating.migrate(empty_database)

    assert _differences(empty_database) == []
    assert migrating.is_current(empty_database)


def test_an_empty_database_is_not_current(empty_database: Database) -> None:
    assert not migrating.is_current(empty_database)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrating.migrate(database)

    assert _differences(database) == []


def test_migrations_can_be_taken_back_and_made_again(empty_database: Database) -> None:
    migrating.migrate(empty_database)
    _downgrade(empty_database)
    emptied = _tables(empty_database)
    migrating.migrate(empty_database)

    assert emptied == set()
    assert _tables(empty_database) == set(metadata.tables)


def test_what_was_stored_under_an_earlier_schema_stays(empty_database: Database) -> None:
    config = config_of(empty_database)
    command.upgrade(config, "0001")
    with empty_database.writing() as tx:
        tx.execute(text("INSERT INTO workspaces (id, last_hypothesis, last_experiment) VALUES ('T1', 1, 0)"))
        tx.execute(text("INSERT INTO leads (workspace, person) VALUES ('T1', 'ULEAD')"))
        tx.execute(text("INSERT INTO people (workspace, person, zone) VALUES ('T1', 'UOWNER', 'Asia/Kolkata')"))
        tx.execute(text(_HYPOTHESIS))
        tx.execute(text(_NEED))  # a child, which goes with its table if that is rebuilt

    migrating.migrate(empty_database)

    with empty_database.reading() as tx:
        dossier = dossiers.find(tx, WORKSPACE, HypothesisNumber(1))
        assert dossier is not None
        assert (dossier.hypothesis.change, dossier.hypothesis.deputy) == ("Fresh first", None)
        assert [need.summary for need in dossier.needs] == ["A place for features"]
        assert workspaces.leads(tx, WORKSPACE, from_settings=True) == [LEAD]
        assert people.zones(tx, WORKSPACE) == {OWNER: "Asia/Kolkata"}
        assert people.unchecked(tx, WORKSPACE, before=NOW) == [OWNER]


def test_experiments_and_readouts_of_the_version_before_verdicts_by_treatment_stay(
    empty_database: Database, tmp_path: Path
) -> None:
    """Of three hypotheses E-1 runs, E-2 has a request that waits, and E-3 was shipped; written by revision 0016."""
    command.upgrade(config_of(empty_database), "0016")
    _insert(empty_database, json.loads((Path(__file__).parent / "version_0016.json").read_text(encoding="utf-8")))

    migrating.migrate(empty_database)

    with empty_database.reading() as tx:
        running, asked, decided = (_found(tx, number) for number in (1, 2, 3))
        said = looks.newest_of(tx, WORKSPACE, [ExperimentNumber(number) for number in (1, 2, 3)])
    assert [said[number].verdict for number in sorted(said)] == [Verdict.KEEP_COLLECTING, Verdict.WIN, Verdict.WIN]
    for number, dossier in enumerate((running, asked, decided), start=1):
        experiment = dossier.get_experiment(ExperimentNumber(number))
        readout = said[experiment.number]
        assert (experiment.dropped, experiment.fixed_cause) == ((), None)
        assert experiment.remaining_treatments == experiment.plan.variant_names[1:]
        # One verdict stood for all treatments, and each has it now.
        told = [(one.treatment, one.verdict) for one in readout.by_treatment]
        assert told == [(name, readout.verdict) for name in experiment.plan.variant_names[1:]]
        assert experiment.standing(readout) is readout
    assert asked.waiting_request is not None
    assert (asked.waiting_request.treatment, asked.waiting_request.verdict) == (None, Verdict.WIN)
    assert decided.hypothesis.ending is not None
    assert decided.hypothesis.ending.treatment is None
    _goes_on(empty_database, tmp_path)


def test_plans_of_the_version_before_baselines_stay_and_take_no_gain_from_a_covariate(
    empty_database: Database, tmp_path: Path
) -> None:
    """Work of revision 0016 that 0019 had open: E-1 runs, and E-2 has a request that waits."""
    config = config_of(empty_database)
    command.upgrade(config, "0016")
    _insert(empty_database, json.loads((Path(__file__).parent / "version_0016.json").read_text(encoding="utf-8")))
    command.upgrade(config, "0019")

    migrating.migrate(empty_database)

    baseline = Baseline(
        metric="orders",
        definition="0123456789ab",
        measured_at=NOW,
        since=NOW - 28 * DAY,
        until=NOW,
        units=3_000_000_000,
        units_per_day=107_142_857.1,
        mean=0.1,
        deviation=0.3,
        variance_reduction=0.25,
        trial_days=14.0,
    )
    tried = Tried(metric="orders", definition="0123456789ab", tried_at=NOW, baseline=baseline)
    with empty_database.writing() as tx:
        assert baselines.all_of(tx, WORKSPACE) == {}
        baselines.store(tx, WORKSPACE, tried)
        assert baselines.claim(tx, WORKSPACE, "shop", at=NOW, until=NOW + DAY)
        assert not baselines.claim(tx, WORKSPACE, "shop", at=NOW + DAY / 2, until=NOW + DAY)
    with empty_database.reading() as tx:
        assert baselines.all_of(tx, WORKSPACE) == {"orders": tried}
        plans = [one.plan for number in (1, 2, 3) for one in _found(tx, number).experiments]
    assert {metric.variance_reduction for plan in plans for metric in plan.metrics} == {0.0}
    _goes_on(empty_database, tmp_path)


def test_looks_and_open_work_of_the_version_before_waiting_looks_stay(empty_database: Database) -> None:
    """E-1 runs and had a treatment dropped, E-2 has a request that waits, E-3 was shipped; written by revision 0019."""
    command.upgrade(config_of(empty_database), "0019")
    _insert(empty_database, json.loads((Path(__file__).parent / "version_0019.json").read_text(encoding="utf-8")))

    migrating.migrate(empty_database)

    one = ExperimentNumber(1)
    with empty_database.writing() as tx:
        newest = looks.newest(tx, WORKSPACE, one)
        assert newest is not None
        assert (newest.short, newest.left_out.no_variant, newest.crossed) == ((), 3, 2)
        assert waiting_looks.find(tx, WORKSPACE, one) is None
        assert _found(tx, 2).waiting_request is not None
        assert _found(tx, 3).hypothesis.ending is not None
        (due,) = lookmaking.due(tx, now=NOW + 2 * DAY)
        wait = late_data.wait_for(
            (Short(source="shop", complete_to=NOW),), slot=due.slot, is_final=due.closes, known=due.waits
        )
        lookmaking.put_off(tx, due, wait, now=NOW + 2 * DAY)
        assert results.show(tx, _found(tx, 1), due.experiment, now=NOW + 2 * DAY).wait == wait
        stopped = experiments.stop(
            tx, _found(tx, 1), one, by=a_member(), ended_at=NOW + 2 * DAY, reason="enough", now=NOW + 2 * DAY
        )
        assert results.current_wait(tx, stopped) is None
    command.downgrade(config_of(empty_database), "0019")
    migrating.migrate(empty_database)
    with empty_database.reading() as tx:
        assert looks.newest(tx, WORKSPACE, one) == newest


def test_running_experiments_of_the_version_before_findings_find_at_their_next_look(empty_database: Database) -> None:
    """Work of revision 0019 that 0021 had open: E-1 runs with looks, E-2 has a request that waits."""
    config = config_of(empty_database)
    command.upgrade(config, "0019")
    _insert(empty_database, json.loads((Path(__file__).parent / "version_0019.json").read_text(encoding="utf-8")))
    command.upgrade(config, "0021")
    one, now = ExperimentNumber(1), NOW + 2 * DAY
    column = FoundColumn(name="user_id", kind="number", type_name="BIGINT")
    findings = Findings(exposures={"users": FoundRows(definition="0123456789ab", columns={"unit": column})})

    migrating.migrate(empty_database)

    with empty_database.writing() as tx:
        before = looks.list_of(tx, WORKSPACE, one)
        (due,) = lookmaking.due(tx, now=now)
        reading = Reading(sample=before[-1].sample, crossed=0, definitions={}, findings=findings)
        made = lookmaking.record(tx, due, reading, lookmaking.answer(due, reading.sample), now=now)
        (next_due,) = lookmaking.due(tx, now=now + DAY)
    assert len(before) > 0
    assert {look.findings for look in before} == {None}
    assert due.findings == Findings()
    assert made is not None
    assert (made.findings, next_due.findings) == (findings, findings)
    with empty_database.reading() as tx:
        assert _found(tx, 2).waiting_request is not None
        assert looks.list_of(tx, WORKSPACE, one) == [*before, made]
    command.downgrade(config, "0021")
    migrating.migrate(empty_database)
    with empty_database.reading() as tx:
        assert looks.list_of(tx, WORKSPACE, one) == [*before, replace(made, findings=None)]


def _goes_on(database: Database, folder: Path) -> None:
    """Save, show, count and export what an earlier version left."""
    one, two = ExperimentNumber(1), ExperimentNumber(2)
    with database.writing() as tx:
        saved = experiments.drop(
            tx, _found(tx, 1), one, treatment="other", reason="it crashes", at=NOW, by=a_member(), now=NOW
        )
        requests.withdraw(tx, _found(tx, 2), by=a_member(), reason="once more", now=NOW)
        experiments.run_again(tx, _found(tx, 2), two, by=a_member(), now=NOW)
    with database.writing() as tx:
        (due,) = [one for one in counting.due(tx, now=NOW) if one.experiment.number == saved.experiments[0].number]
        counted = counting.record(tx, due, (7000, 5300, 4510), every=DAY, now=NOW)
        shown = results.show(tx, _found(tx, 1), saved.get_experiment(one), now=NOW)
        files = {written.sheet: written for written in exports.write(tx, WORKSPACE, folder, ExportFormat.CSV)}
    assert counted is not None
    assert not counting.is_uneven(counted.split)
    assert shown.look is not None
    assert shown.look.sample.exposed == (5000, 3750, 3750)
    assert shown.experiment.dropped[0].after_look == 2
    assert files["experiments"].rows == 4
    with files["experiments"].path.open(encoding="utf-8", newline="") as sheet:
        rows = {row["experiment"]: row for row in csv.DictReader(sheet)}
    assert {name: (row["verdict"], row["dropped"], row["dropped_because"]) for name, row in rows.items()} == {
        "E-1": ("keep collecting", "other", "it crashes"),
        "E-2": ("win", "", ""),
        "E-3": ("win", "", ""),
        "E-4": ("", "", ""),
    }


def _found(tx: Transaction, number: int) -> Dossier:
    found = dossiers.find(tx, WORKSPACE, HypothesisNumber(number))
    assert found is not None
    return found


def _insert(database: Database, rows_of: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Insert rows as they were dumped: moments as text."""
    counted = {("history", "id"), ("entries", "id")}
    with database.writing() as tx:
        there = MetaData()
        there.reflect(tx)
        for table in there.sorted_tables:
            moments = {column.name for column in table.columns if isinstance(column.type, DateTime)}
            for row in rows_of.get(table.name, ()):
                values = {
                    name: datetime.fromisoformat(f"{value}+00:00") if name in moments else value
                    for name, value in row.items()
                    if (table.name, name) not in counted  # the next must not be one of these
                }
                tx.execute(table.insert().values(values))


_REPLICA = """
import sys
from labcoat.db import migrating
from labcoat.db.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrating.migrate(database)
"""


def test_replicas_that_migrate_at_once_all_end_well(empty_database: Database) -> None:
    command_line = [sys.executable, "-c", _REPLICA, empty_database.url]
    replicas = [
        subprocess.Popen(command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]

    ready = [one.stdout.readline() for one in replicas if one.stdout is not None]
    for one in replicas:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in replicas:
        one.communicate(timeout=120)

    assert ready == ["ready\n"] * 2
    assert [one.returncode for one in replicas] == [0, 0]
    assert _differences(empty_database) == []


def test_who_starts_while_another_migrates_waits_and_finds_it_done(empty_database: Database) -> None:
    other = Database(empty_database.url)
    found: list[bool] = []

    def start() -> None:
        migrating.wait_for_others(other)
        found.append(migrating.is_current(other))

    waiting = threading.Thread(target=start)
    with empty_database.writing() as tx:
        migrating.take_turn(tx)
        waiting.start()
        waiting.join(0.3)
        is_waiting = waiting.is_alive()
        context = MigrationContext.configure(tx)
        context.stamp(ScriptDirectory("migrations"), "head")
    waiting.join(60)

    assert is_waiting
    assert found == [True]
    other.dispose()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_statement_that_hangs_is_ended_but_no_migration_is(database: Database) -> None:
    with database.reading() as tx:
        shown = {name: tx.execute(text(f"SHOW {name}")).scalar_one() for name in ("statement_timeout", "lock_timeout")}
    assert shown == {"statement_timeout": "30s", "lock_timeout": "10s"}

    with database.writing() as tx:
        tx.execute(text("SET LOCAL statement_timeout = '20ms'"))
        with pytest.raises(DBAPIError, match="statement timeout"):
            tx.execute(text("SELECT pg_sleep(60)"))

    with database.writing() as tx:
        migrating.take_turn(tx)
        assert tx.execute(text("SHOW statement_timeout")).scalar_one() == "0"


_HYPOTHESIS = """
    INSERT INTO hypotheses (workspace, number, version, channel, stage, stage_since, change, metric, direction, because,
        smallest_effect, refuted_by, tags, filed_by, filed_at, involved)
    VALUES ('T1', 1, 1, 'C1', 'hypothesize', '2026-11-01 09:00:00', 'Fresh first', 'orders', 'up', 'seen', '', '', '[]',
        'UOWNER', '2026-11-01 09:00:00', '[]')
"""
_NEED = """
    INSERT INTO needs (workspace, hypothesis, position, summary, found_by, found_at)
    VALUES ('T1', 1, 1, 'A place for features', 'UOWNER', '2026-11-01 09:00:00')
"""
