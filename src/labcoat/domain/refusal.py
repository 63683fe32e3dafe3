"""A rule that says no: a reason as a value, the form field it belongs to, and the facts a sentence needs."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

FactValue = str | int | float | bool | None


class Reason(StrEnum):
    """Every way a rule can say no; `words.refusals` has one sentence for each."""

    # who
    NOT_OWNER = "not owner"
    NOT_OWNER_OR_LEAD = "not owner or lead"
    NOT_ELIGIBLE = "not eligible"  # asked it, owned it, or is no lead
    NOT_IN_CHANNEL = "not in channel"
    LEAD_ONLY = "lead only"
    ADMIN_ONLY = "admin only"
    HAS_OWNER = "has owner"
    NOT_MEMBER = "not member"  # a guest, a bot, somebody deactivated or of another workspace
    PERSON_UNABLE = "person unable"  # whoever was picked is no member
    PERSON_AWAY = "person away"
    DEPUTY_IS_OWNER = "deputy is owner"
    STAND_IN_IS_SELF = "stand-in is self"
    # where in the lifecycle
    CLOSED = "closed"
    NOT_CLOSED = "not closed"
    WRONG_STAGE = "wrong stage"
    WRONG_STATE = "wrong state"
    NO_EXPERIMENT = "no experiment"
    NO_PROTOTYPE = "no prototype"
    ANOTHER_RUNNING = "another running"
    ANOTHER_DRAFT = "another draft"
    RUNNING = "running"
    TEXT_LOCKED = "text locked"
    LOCKED_AT_START = "locked at start"
    REQUEST_WAITING = "request waiting"
    NO_REQUEST = "no request"
    ALREADY_DECIDED = "already decided"
    NOT_EXPIRED = "not expired"
    PREDICTIONS_CLOSED = "predictions closed"
    LAST_LOOK_PENDING = "last look pending"
    LAST_LOOK_WAITS = "last look waits"
    DATA_OF_THE_PAST = "data of the past"
    CONTROL_STAYS = "control stays"
    DROPPED_BEFORE = "dropped before"
    LAST_TREATMENT = "last treatment"
    CAUSE_NEEDS_ROWS = "cause needs rows"
    CAUSE_NEEDS_DAYS = "cause needs days"
    CAUSE_NEEDS_TIMES = "cause needs times"
    CAUSE_FIXED_BEFORE = "cause fixed before"
    SPLIT_AS_PLANNED = "split as planned"
    # what is missing or wrong
    MISSING = "missing"
    TOO_LONG = "too long"
    NOT_A_NUMBER = "not a number"
    NOT_POSITIVE = "not positive"
    TOO_LARGE = "too large"
    REASON_NEEDED = "reason needed"
    EVIDENCE_NEEDED = "evidence needed"
    USER_EVIDENCE_NEEDED = "user evidence needed"
    CAP_NOT_RAISED = "cap not raised"
    IN_THE_FUTURE = "in the future"
    BEFORE_THE_START = "before the start"
    END_BEFORE_START = "end before start"
    NOT_IN_FUTURE = "not in the future"
    TOO_FAR = "too far"
    NOT_LATER = "not later"
    SNOOZED_TOO_LONG = "snoozed too long"
    NOTHING_CHANGED = "nothing changed"
    # settings
    NOT_A_ZONE = "not a zone"
    QUIET_HALF = "quiet half"
    QUIET_ALWAYS = "quiet always"
    TOO_MANY = "too many"
    # plan
    ALLOCATION = "allocation"
    TWO_VARIANTS = "two variants"
    VARIANT_TWICE = "variant twice"
    NOT_A_PLAN_VARIANT = "not a plan variant"
    VARIANT_MISSING = "variant missing"
    NO_GOAL = "no goal"
    METRIC_TWICE = "metric twice"
    NOT_A_PLAN_METRIC = "not a plan metric"
    NOT_A_METRIC = "not a metric"
    NO_MINIMUM_EFFECT = "no minimum effect"
    BASELINE_NEEDED = "baseline needed"
    NOT_AN_EFFECT = "not an effect"
    IMPOSSIBLE_EFFECT = "impossible effect"
    TOO_SMALL_EFFECT = "too small effect"
    DIRECTION_NEEDED = "direction needed"
    MARGIN_NEEDS_UNIT = "margin needs unit"
    NAME_WITH_BLANK = "name with blank"
    METRIC_KEEPS_GROWING = "metric keeps growing"
    DESIGN_NEEDS_WAREHOUSE = "design needs warehouse"
    WINDOW_TOO_LONG = "window too long"
    # counts
    NOT_COUNTS = "not counts"
    MORE_EVENTS_THAN_UNITS = "more events than units"
    NEGATIVE = "negative"
    MEANS_NEED_FORM = "means need form"
    SMALLER_THAN_BEFORE = "smaller than before"
    OTHERS_ALREADY_STORED = "others already stored"  # as of the same moment or later
    COUNTS_COME_FROM_WAREHOUSE = "counts come from warehouse"
    # finding things
    UNKNOWN_COMMAND = "unknown command"
    UNKNOWN_ID = "unknown id"
    ID_NEEDED = "id needed"
    NO_CHANNEL = "no channel"
    NOTHING_OPEN = "nothing open"
    NOTE_EMPTY = "note empty"
    FROM_EARLIER = "from earlier"  # a button or form that no longer means anything
    TOO_FAST = "too fast"
    # files and pastes
    FILE_UNREADABLE = "file unreadable"
    FILE_TOO_LARGE = "file too large"
    FILE_NOT_TEXT = "file not text"
    FILE_FAULT = "file fault"  # the text says where, and what to do
    FILE_DONE = "file done"
    NOTHING_TO_IMPORT = "nothing to import"
    TOO_MANY_ROWS = "too many rows"
    NOT_A_TABLE = "not a table"
    NOT_TOTALS = "not totals"
    # what programs send, and their tokens
    OTHER_TOTALS = "other totals"  # a mean where the metric is yes or no per unit, or the other way round
    TOKEN_NAME_TAKEN = "token name taken"  # noqa: S105  a reason
    UNKNOWN_TOKEN = "unknown token"  # noqa: S105
    NO_WORKSPACE = "no workspace"
    WHICH_WORKSPACE = "which workspace"
    UNKNOWN_WORKSPACE = "unknown workspace"


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not an error
    """Raised by a rule that says no; nothing has been changed."""

    def __init__(self, reason: Reason, field: str | None = None, **facts: FactValue) -> None:
        super().__init__(reason.value, field, facts)
        self.reason = reason
        self.field = field
        self.facts: Mapping[str, FactValue] = facts

    @classmethod
    def again(cls, reason: Reason, facts: Iterable[tuple[str, FactValue]]) -> "Refusal":
        """Return a refusal that was put away to be told later."""
        return cls(reason, None, **dict(facts))


def require_text(text: str, *, field: str, longest: int = 2000) -> str:
    """Return the text without outer blanks; raise Refusal if it is empty or too long.

    longest: characters; what people write in a form stays below Slack's 3,000 of a section after escaping.
    """
    cleaned = text.strip()
    if not cleaned:
        raise Refusal(Reason.MISSING, field)
    if len(cleaned) > longest:
        raise Refusal(Reason.TOO_LONG, field, length=len(cleaned), longest=longest)
    return cleaned


def require_reason(text: str | None, *, because: str, field: str = "reason") -> str:
    """Return the given reason; raise Refusal naming what it is needed for if there is none."""
    if text is None or not text.strip():
        raise Refusal(Reason.REASON_NEEDED, field, because=because)
    return require_text(text, field=field)
