"""An export takes the same memory however much there is to write."""

import csv
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

from builders import (
    DAY,
    E7,
    NOW,
    WORKSPACE,
    a_dossier,
    a_dropped,
    a_fixed_cause,
    a_plan,
    a_readout,
    an_experiment,
)
from labcoat.db import looks
from labcoat.db.database import Transaction
from labcoat.domain.file_job import ExportFormat
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look
from labcoat.stats.results import Verdict
from labcoat.usecases.hypotheses import exports
from usecases.storing import a_sample, stored

PEAK_OF_PARQUET = """
import re, sys
from pathlib import Path
from labcoat.domain.export_columns import Cell
from labcoat.domain.exporting import SHEETS
from labcoat.warehouse import sheets
values = {Cell.TEXT: "the growth team asked for it", Cell.WHOLE: 7, Cell.NUMBER: 0.25, Cell.FLAG: True, Cell.TIME: None}
row = tuple(values[cell] for _, cell in SHEETS["readouts"])
with sheets.opened_parquet(Path(sys.argv[1]), SHEETS["readouts"]) as put:
    for n in range(int(sys.argv[2])):
        put((f"{n} {row[0]}", *row[1:]))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_what_is_written_is_not_held(tx: Transaction, tmp_path: Path) -> None:
    _stored_with_looks(tx, range(1, 61))
    exports.write(tx, WORKSPACE, tmp_path, ExportFormat.CSV)  # what is kept for the next time is there

    few = _peak(tx, tmp_path)
    _stored_with_looks(tx, range(61, 141))
    many = _peak(tx, tmp_path)

    assert many - few < 350_000  # 800 looks more; were their rows held, it would be 860,000


def test_a_long_parquet_file_takes_the_memory_of_a_short_one(tmp_path: Path) -> None:
    few, many = (_peak_of_parquet(tmp_path / f"{rows}.parquet", rows) for rows in (2_000, 200_000))

    assert many - few < 70  # MB; 180 when DuckDB chose how much it takes at once


def _stored_with_looks(tx: Transaction, numbers: range) -> None:
    for number in numbers:
        experiment = an_experiment(ExperimentState.RUNNING, number=number)
        stored(tx, a_dossier(experiment, number=number))
        for day in range(10):
            slot = NOW - day * DAY
            readout = replace(a_readout(), look=day + 1)
            look = Look(
                experiment=ExperimentNumber(number),
                slot=slot,
                as_of=slot,
                made_at=slot,
                sample=a_sample(),
                readout=readout,
            )
            looks.add(tx, WORKSPACE, look)


def _peak(tx: Transaction, folder: Path) -> int:
    """Return the most bytes that Python had at once for an export."""
    tracemalloc.start()
    exports.write(tx, WORKSPACE, folder, ExportFormat.CSV)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _peak_of_parquet(path: Path, rows: int) -> float:
    command = [sys.executable, "-c", PEAK_OF_PARQUET, str(path), str(rows)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def test_what_was_done_while_it_ran_has_columns_and_a_look_before_a_fix_no_verdict(
    tx: Transaction, tmp_path: Path
) -> None:
    plan = a_plan(weights=(0.25, 0.25, 0.25, 0.25))
    running = an_experiment(ExperimentState.RUNNING, plan=plan)
    dropped = (a_dropped(), replace(a_dropped("other"), reason="=it crashes"))
    stored(tx, a_dossier(replace(running, dropped=dropped, fixed_cause=a_fixed_cause(after_look=1))))
    look = Look(experiment=E7, slot=NOW, as_of=NOW, made_at=NOW, sample=a_sample(), readout=a_readout(Verdict.INVALID))
    looks.add(tx, WORKSPACE, replace(look, sample=replace(look.sample, exposed=(50, 50, 50, 50))))

    exports.write(tx, WORKSPACE, tmp_path, ExportFormat.CSV)

    with (tmp_path / "experiments.csv").open(encoding="utf-8", newline="") as sheet:
        (row,) = csv.DictReader(sheet)
    assert (row["dropped"], row["dropped_because"]) == ("treatment | other", "it crashes | =it crashes")
    assert (row["cause_fixed_at"][:10], row["cause_fixed_because"]) == ("2026-11-20", "a redirect lost users")
    assert row["verdict"] == ""
