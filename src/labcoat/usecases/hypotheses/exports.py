"""Everything that a workspace has learned, as files: what is stored, with every reason, and nothing computed anew."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labcoat.db import exports, looks
from labcoat.db.database import Transaction
from labcoat.domain.export_columns import Row, row
from labcoat.domain.export_readouts import READOUTS, treatments_of
from labcoat.domain.exporting import EXPERIMENTS, HYPOTHESES, SHEETS, Tested, Told
from labcoat.domain.file_job import ExportFormat
from labcoat.domain.ids import WorkspaceId
from labcoat.warehouse import sheets


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file of an export. rows: without the line of column names."""

    path: Path
    sheet: str
    rows: int


def write(
    tx: Transaction,
    workspace: WorkspaceId,
    folder: Path,
    kind: ExportFormat,
    *,
    for_spreadsheet: bool = False,
) -> list[Written]:
    """Write a file a sheet into the folder.

    for_spreadsheet: CSV files begin with the sign by which a spreadsheet knows UTF-8.
    """
    paths = {sheet: folder / f"{sheet}.{kind.value}" for sheet in SHEETS}
    writer = sheets.opened_parquet if kind is ExportFormat.PARQUET else sheets.opened_csv
    counts = dict.fromkeys(SHEETS, 0)
    with (
        writer(paths["hypotheses"], SHEETS["hypotheses"], has_mark=for_spreadsheet) as write_hypothesis,
        writer(paths["experiments"], SHEETS["experiments"], has_mark=for_spreadsheet) as write_experiment,
        writer(paths["readouts"], SHEETS["readouts"], has_mark=for_spreadsheet) as write_readout,
    ):
        puts = {"hypotheses": write_hypothesis, "experiments": write_experiment, "readouts": write_readout}

        def put(sheet: str, row: Row) -> None:
            puts[sheet](row)
            counts[sheet] += 1

        _write_all(tx, workspace, put)
    return [Written(path=path, sheet=sheet, rows=counts[sheet]) for sheet, path in paths.items()]


def _write_all(tx: Transaction, workspace: WorkspaceId, put: Callable[[str, Row], None]) -> None:
    for batch in exports.batches(tx, workspace):
        reasons = exports.reasons(tx, workspace, [one.hypothesis.number for one in batch])
        for dossier in batch:
            told = Told(dossier=dossier, reasons=reasons.get(dossier.hypothesis.number, ()))
            put("hypotheses", row(HYPOTHESES, told))
            for experiment in dossier.experiments:
                newest = looks.newest(tx, workspace, experiment.number)
                readout = experiment.standing(newest.readout if newest is not None else None)
                tested = Tested(dossier=dossier, experiment=experiment, readout=readout)
                put("experiments", row(EXPERIMENTS, tested))
                for look in exports.looks_of(tx, workspace, experiment.number):
                    for seen in treatments_of(dossier, experiment, look):
                        put("readouts", row(READOUTS, seen))
