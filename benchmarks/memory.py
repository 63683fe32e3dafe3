"""Resident memory of the bot's process after the tour; one JSON line."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

import psutil

from labcoat.demo import stage, tour

LARGEST_MB = 250


def main() -> None:
    """Play the tour, measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder,
        stage.raised(Path(folder), has_past=True) as raised,
    ):
        with contextlib.redirect_stdout(io.StringIO()):
            tour.play(raised)
        assert raised.bot.process is not None
        resident_mb = psutil.Process(raised.bot.process.pid).memory_info().rss / 1_000_000
    shown = {"benchmark": "memory", "resident_mb": round(resident_mb, 1), "limits": {"resident_mb": LARGEST_MB}}
    print(json.dumps({**shown, "is_within_limits": resident_mb < LARGEST_MB}))


if __name__ == "__main__":
    main()
