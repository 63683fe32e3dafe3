"""What is said of files, at its largest."""

from collections.abc import Iterator

from builders import H12
from labcoat.domain.facts import ExportFailed, FileRefused, FileStored
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.refusal import Reason
from labcoat.slack.blocks import Message
from labcoat.slack.views import files
from largest_words import METRICS, text_of

ZONE = "Europe/Berlin"
BIG = ExperimentNumber(999_999_999)


def messages() -> Iterator[tuple[str, Message]]:
    """Yield every message about a file."""
    yield "reading a file", files.reading_message(text_of(255), 50_000_000)
    stored = FileStored(
        hypothesis=H12,
        experiment=BIG,
        file=text_of(255),
        size=50_000_000,
        metrics=tuple(METRICS),
        units=10**12,
        taken=text_of(3000),
    )
    yield "file stored", files.file_message(stored, zone=ZONE)
    for correct in (None, 999_999_999):
        facts = (("experiment", 7), ("metric", METRICS[0]), ("before", text_of(3000)))
        refused = FileRefused(
            hypothesis=H12,
            experiment=BIG,
            file=text_of(255),
            size=50_000_000,
            reason=Reason.SMALLER_THAN_BEFORE,
            facts=facts,
            job=correct,
        )
        yield f"file refused, to correct {correct}", files.file_message(refused, zone=ZONE)
    for is_new in (True, False):
        yield f"export asked, new {is_new}", files.export_asked_message(is_new=is_new)
    for problem in ("missing_scope", "file_type_not_allowed", "anything"):
        yield f"export not sent, {problem}", files.file_message(ExportFailed(problem=problem), zone=ZONE)
