"""Past work as people paste it: one hypothesis a line, or a table with a header; only a title is needed."""

import csv
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from labcoat.domain.hypothesis import Decision, Outcome
from labcoat.domain.ids import UserId
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import Direction

MOST_ROWS = 500
LONGEST_TITLE = 600

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "change": ("title", "change", "hypothesis", "name", "what"),
    "metric": ("metric", "goal"),
    "direction": ("direction", "way"),
    "because": ("because", "reason", "why"),
    "owner": ("owner", "who"),
    "outcome": ("outcome", "result", "verdict"),
    "decision": ("decision", "shipped"),
    "learning": ("learning", "learned", "learnings", "lesson"),
    "closed": ("closed", "date", "closed on", "ended"),
    "tags": ("tags", "tag", "labels"),
}
_OUTCOMES: Mapping[str, Outcome] = {
    **{outcome.value: outcome for outcome in Outcome},
    **dict.fromkeys(("win", "won", "yes", "success", "positive", "true"), Outcome.SUPPORTED),
    **dict.fromkeys(("loss", "lost", "no", "negative", "false", "no effect"), Outcome.REFUTED),
    **dict.fromkeys(("flat", "unclear", "neutral"), Outcome.INCONCLUSIVE),
    **dict.fromkeys(("dropped", "cancelled", "stopped"), Outcome.ABANDONED),
}
_MENTION = re.compile(r"^<?@?([UW][A-Z0-9]{3,})>?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWork:
    """One hypothesis from before. line: where it stood, from 1. outcome: None for one that is still open."""

    line: int
    change: str
    metric: str = ""
    direction: Direction = Direction.UP
    because: str = ""
    owner: UserId | None = None
    outcome: Outcome | None = None
    decision: Decision = Decision.NOT_BUILT
    learning: str = ""
    closed_on: date | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text holds. twice: titles that are there already, or stood above. unclear: what to check, in words."""

    found: tuple[PastWork, ...]
    twice: tuple[PastWork, ...]
    unclear: tuple[str, ...]


def decoded(content: bytes) -> str:
    """Return the text of a file as spreadsheets write them; raise Refusal for what is no text."""
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refusal(Reason.FILE_NOT_TEXT, "file")
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def read(text: str, *, known: Collection[str], today: date) -> Reading:
    """Return the past work of a text. known: titles that are there already, in lower case.

    Raises Refusal for nothing at all, and for more than fits.
    """
    rows = [(number, line) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1) if line.strip()]
    if not rows:
        raise Refusal(Reason.NOTHING_TO_IMPORT, "paste")
    separator = max(",;\t", key=rows[0][1].count)
    header = [_column(cell) for cell in _cells(rows[0][1], separator)]
    has_header = "change" in header
    table = list(_table(text, separator)) if has_header else [(number, [line.strip()]) for number, line in rows]
    body = table[1:] if has_header else table
    if len(body) > MOST_ROWS:
        raise Refusal(Reason.TOO_MANY_ROWS, "paste", count=len(body), most=MOST_ROWS)
    seen = {one.casefold() for one in known}
    found: list[PastWork] = []
    twice: list[PastWork] = []
    unclear: list[str] = []
    for number, cells in body:
        values = dict(zip(header, cells, strict=False)) if has_header else {"change": cells[0]}
        one, problem = _row(number, {name: cell.strip() for name, cell in values.items() if name}, today)
        unclear += [problem] if problem else []
        if one is None:
            continue
        (twice if one.change.casefold() in seen else found).append(one)
        seen.add(one.change.casefold())
    return Reading(found=tuple(found), twice=tuple(twice), unclear=tuple(unclear))


def _table(text: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise Refusal(Reason.NOT_A_TABLE, "paste", line=reader.line_num) from error


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _column(cell: str) -> str:
    name = cell.strip().casefold()
    return next((column for column, names in _COLUMNS.items() if name in names), "")


def _row(number: int, values: Mapping[str, str], today: date) -> tuple[PastWork | None, str]:
    change = values.get("change", "").lstrip("•-* ").strip()
    if not change:
        return None, f"line {number} has no title"
    if len(change) > LONGEST_TITLE:
        return None, f"line {number}: the title has {len(change):,} characters; the limit is {LONGEST_TITLE}"
    outcome_text, closed_text = values.get("outcome", "").casefold(), values.get("closed", "")
    outcome, closed_on, problem = _OUTCOMES.get(outcome_text), _date(closed_text), ""
    if outcome_text and outcome is None:
        problem = f"line {number}: “{outcome_text[:40]}” is no outcome, so it is taken as inconclusive"
    if closed_text and (closed_on is None or closed_on > today):
        problem = f"line {number}: “{closed_text[:40]}” is no day of the past, so today is taken (write 2025-03-31)"
        closed_on = None
    is_closed = bool(outcome_text or values.get("learning") or closed_text)
    is_shipped = values.get("decision", "").casefold() in ("shipped", "yes", "true", "built", "released")
    mention = _MENTION.match(values.get("owner", ""))
    one = PastWork(
        line=number,
        change=change,
        metric=values.get("metric", "")[:80],
        direction=Direction.DOWN if values.get("direction", "").casefold().startswith(("d", "l")) else Direction.UP,
        because=values.get("because", "")[:1000],
        owner=UserId(mention[1]) if mention else None,
        outcome=(outcome or Outcome.INCONCLUSIVE) if is_closed else None,
        decision=Decision.SHIPPED if is_shipped else Decision.NOT_BUILT,
        learning=values.get("learning", "")[:1000],
        closed_on=closed_on,
        tags=tuple(tag.strip().lower()[:40] for tag in re.split(r"[,;]", values.get("tags", "")) if tag.strip()),
    )
    return one, problem


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
