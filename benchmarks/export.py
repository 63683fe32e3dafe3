"""Memory of `labcoat export` as what there is to export grows, each in a process of its own; prints one JSON line.

The demo's year of hypotheses is copied until its looks give so many rows of readouts. The peak is that of the whole
process, DuckDB's share for Parquet included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Table, insert, select

from labcoat.db.database import Database, Transaction
from labcoat.db.migrating import migrate
from labcoat.db.tables import schema
from labcoat.demo import past, people
from labcoat.domain.ids import ChannelId, WorkspaceId

ROWS = (5_000, 50_000, 200_000)
MOST_GROWN_MB = 40.0
COPIED = ("hypotheses", "prototypes", "evidence", "experiments", "requests", "needs", "history", "looks")
NUMBERED = frozenset({"number", "hypothesis", "experiment"})
LOOKS_FOR_ONE = 20
"""Of the demo's, so that an experiment has about as many as days."""
_APART = 10_000
_MEASURED = """
import re, sys
from pathlib import Path
from labcoat.cli import app as cli
code = cli.main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
sys.exit(code)
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder:
        found = {rows: _measure(Path(folder) / str(rows), rows) for rows in ROWS}
    grown = {kind: found[ROWS[-1]][kind]["peak_mb"] - found[ROWS[0]][kind]["peak_mb"] for kind in ("csv", "parquet")}
    shown = {"benchmark": "export", "rows": found, "grown_mb": grown, "limits": {"grown_mb": MOST_GROWN_MB}}
    print(json.dumps({**shown, "is_within_limits": max(grown.values()) < MOST_GROWN_MB}))


def _measure(folder: Path, rows: int) -> dict[str, dict[str, float]]:
    folder.mkdir()
    url = f"sqlite:///{folder / 'labcoat.db'}"
    _fill(url, rows)
    return {kind: _export(url, folder, kind) for kind in ("csv", "parquet")}


def _export(url: str, folder: Path, kind: str) -> dict[str, float]:
    began = time.monotonic()
    command = [sys.executable, "-c", _MEASURED, "export", "--format", kind, "--out", str(folder)]
    done = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=True, capture_output=True, text=True)
    *written, peak = done.stdout.splitlines()
    rows = int(written[-1].split(": ")[1].split(" ")[0].replace(",", ""))
    return {"readouts": rows, "peak_mb": round(float(peak), 1), "seconds": round(time.monotonic() - began, 1)}


def _fill(url: str, rows: int) -> None:
    database = Database(url)
    migrate(database)
    workspace = WorkspaceId(people.workspace().team.id)
    past.write(database, workspace=workspace, channel=ChannelId(people.CHANNEL), now=datetime.now(UTC))
    with database.writing() as tx:
        first = [dict(row) for row in tx.execute(select(schema.looks)).mappings()]
        for index in range(1, LOOKS_FOR_ONE):
            more = [row | {"slot": row["slot"] + timedelta(seconds=index)} for row in first]
            tx.execute(insert(schema.looks), more)
        for copy in range(1, rows // (LOOKS_FOR_ONE * len(first))):
            for name in COPIED:
                _copy(tx, schema.metadata.tables[name], by=copy * _APART)
    database.dispose()


def _copy(tx: Transaction, table: Table, *, by: int) -> None:
    columns = [column for column in table.c if column.name != "id"]
    moved = [column + by if column.name in NUMBERED else column for column in columns]
    number = table.c.number if "number" in table.c and "hypothesis" not in table.c else table.c.get("hypothesis")
    first = (number if number is not None else table.c.experiment) < _APART
    tx.execute(insert(table).from_select([column.name for column in columns], select(*moved).where(first)))


if __name__ == "__main__":
    main()
