"""What is said of files that people gave, and of those that were made for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from labcoat.usecases.hypotheses.exports import Written
from labcoat.words import numbers

TOO_MUCH = "Reading it takes longer than a minute. Sum it up before: a row for each variant, with its counts."

_COUNTED: Mapping[str, tuple[str, str]] = {
    "hypotheses": ("hypothesis", "hypotheses"),
    "experiments": ("experiment", "experiments"),
    "readouts": ("row of readouts", "rows of readouts"),
}
NOT_WRITTEN = "not_written"
"""Of an export: no file could be made of what is stored."""
_NOT_SENT: Mapping[str, str] = {
    NOT_WRITTEN: "One of the files could not be written. Try the other type: `/experiment export csv` or `parquet`.",
    "missing_scope": "I may not upload files here. Whoever runs Labcoat can allow it: the app needs `files:write`.",
    "file_uploads_disabled": "This workspace allows no uploads.",
    "file_uploads_except_images_disabled": "This workspace allows no uploads but pictures.",
    "file_type_not_allowed": "This workspace allows no files of that type. Try the other one: `/experiment export csv` or `parquet`.",
    "file_upload_size_restricted": "The files are larger than this workspace allows.",
}


def size(length: int) -> str:
    """Return a file's size as people say it.

    >>> size(12_345_678), size(34_567), size(210)
    ('12 MB', '35 KB', '210 bytes')
    """
    if length < 1000:
        return f"{length} bytes"
    return f"{length / 1000:.0f} KB" if length < 999_500 else f"{length / 1_000_000:.0f} MB"


def export_name(written: Written, now: datetime, zone: str) -> str:
    """Return what a file of an export is called."""
    return f"labcoat-{written.sheet}-{numbers.iso_day(now, zone)}{written.path.suffix}"


def exported(written: Sequence[Written], now: datetime, zone: str) -> str:
    """Return what is said with the files of an export."""
    counts = [numbers.counted(one.rows, *_COUNTED[one.sheet]) for one in written]
    what = f"{', '.join(counts[:-1])} and {counts[-1]}"
    return (
        f"Everything as of {numbers.day_and_time(now, zone)}: {what}. Every reason is in it; effects are those of stored "
        "looks only."
    )


def not_exported(problem: str) -> str:
    """Return why files could not be sent, and what to do. problem: Slack's own word, or NOT_WRITTEN."""
    why = _NOT_SENT.get(problem, "Slack did not take them.")
    return f"I could not send you the export. {why} Whoever runs Labcoat can also write it to disk: `labcoat export`."
