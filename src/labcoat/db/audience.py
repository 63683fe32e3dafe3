"""Who may hear of a change of a hypothesis, and what is on its way to them already: one statement for all of it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    bindparam,
    cast,
    literal,
    null,
    select,
    true,
    union_all,
)

from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.domain.ids import HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.notice import card_subject, home_subject, request_prefix
from labcoat.domain.notices import Audience
from labcoat.domain.nudge import SentNudge

_FOLLOWER, _HOME, _ASKED, _PENDING, _NUDGE = "follower", "home", "asked", "pending", "nudge"
_LAST_CHARACTER = "\U0010ffff"
_OUTBOX, _POSTS, _NUDGES = schema.outbox.c, schema.posts.c, schema.nudges.c
_WORKSPACE: BindParameter[str] = bindparam("workspace")
_HYPOTHESIS: BindParameter[int] = bindparam("hypothesis")
_IS_PENDING = and_(_OUTBOX.workspace == _WORKSPACE, _OUTBOX.finished_at.is_(None), _OUTBOX.state == "pending")


def _part(
    what: str,
    *where: ColumnElement[bool],
    subject: ColumnElement[Any] | None = None,
    person: ColumnElement[Any] | None = None,
) -> Select[Any]:
    text = cast(null(), String)
    return select(
        literal(what).label("what"),
        (text if subject is None else cast(subject, String)).label("subject"),
        (text if person is None else cast(person, String)).label("person"),
        (_NUDGES.key if what == _NUDGE else text).label("key"),
        (_NUDGES.nudge if what == _NUDGE else cast(null(), _NUDGES.nudge.type)).label("nudge"),
    ).where(*where)


def _pending(where: ColumnElement[bool]) -> Select[Any]:
    # Locked: if another replica claims one meanwhile, it is no longer pending, and this change has to be told anew.
    locked = select(_OUTBOX.subject).where(_IS_PENDING, where).with_for_update(skip_locked=True).subquery()
    return _part(_PENDING, true(), subject=locked.c.subject)


_OPEN_NUDGE = (
    _NUDGES.workspace == _WORKSPACE,
    _NUDGES.hypothesis == _HYPOTHESIS,
    _NUDGES.entry.is_(None),
    _NUDGES.snoozed_until.is_(None),
    _NUDGES.subject.is_not(None),
)


def _statement(*, has_requests: bool) -> CompoundSelect[Any]:
    homes: BindParameter[str] = bindparam("homes", expanding=True)
    subjects: BindParameter[str] = bindparam("subjects", expanding=True)
    prefix = bindparam("prefix", type_=String)
    parts = [
        _part(
            _NUDGE,
            *_OPEN_NUDGE,
            subject=_NUDGES.subject,
            person=_NUDGES.person,
        ),
        _part(
            _FOLLOWER,
            schema.followers.c.workspace == _WORKSPACE,
            schema.followers.c.hypothesis == _HYPOTHESIS,
            person=schema.followers.c.person,
        ),
        _part(_HOME, _POSTS.workspace == _WORKSPACE, _POSTS.subject.in_(homes), subject=_POSTS.subject),
        _pending(_OUTBOX.subject.in_(subjects)),
        _pending(_OUTBOX.subject.in_(select(_NUDGES.subject).where(*_OPEN_NUDGE))),
    ]
    if has_requests:
        in_posts = and_(_POSTS.subject >= prefix, _POSTS.subject < bindparam("beyond"))  # a range of the key
        here = and_(_OUTBOX.workspace == _WORKSPACE, _OUTBOX.subject.like(bindparam("pattern")))
        given_up = and_(_OUTBOX.state == "dead", _OUTBOX.finished_at.is_not(None))
        parts += [
            _part(_ASKED, _POSTS.workspace == _WORKSPACE, in_posts, subject=_POSTS.subject),
            _part(_ASKED, here, _OUTBOX.finished_at.is_(None), subject=_OUTBOX.subject),
            _part(_ASKED, here, given_up, subject=_OUTBOX.subject),
            _pending(_OUTBOX.subject.like(bindparam("pattern"))),
        ]
    return union_all(*parts)


_PLAIN, _WITH_REQUESTS = _statement(has_requests=False), _statement(has_requests=True)


def read(
    tx: Transaction,
    workspace: WorkspaceId,
    number: HypothesisNumber,
    *,
    people: Collection[UserId] = (),
    positions: Collection[int] = (),
) -> Audience:
    """Return who may hear of a change. people: whose Home may show it. positions: of requests that it is about.

    Read under the lock of the hypothesis's row; read earlier, it would miss who comes meanwhile.
    """
    homes = {home_subject(person): person for person in people}
    prefix = request_prefix(number)
    asked = {
        "workspace": workspace,
        "hypothesis": number,
        "homes": list(homes),
        "subjects": [card_subject(number), *homes],
    }
    if positions:
        asked |= {"prefix": prefix, "beyond": prefix + _LAST_CHARACTER, "pattern": f"{prefix}%"}
    rows = tx.execute(_WITH_REQUESTS if positions else _PLAIN, asked).all()
    of = {what: [row for row in rows if row.what == what] for what in (_FOLLOWER, _HOME, _ASKED, _PENDING, _NUDGE)}
    requests = {_request_of(row.subject.removeprefix(prefix)) for row in of[_ASKED]}
    return Audience(
        followers=tuple(sorted(UserId(row.person) for row in of[_FOLLOWER])),
        homes=frozenset(homes[row.subject] for row in of[_HOME]),
        asked=tuple(sorted((position, person) for position, person in requests if position in positions)),
        nudges=tuple(
            SentNudge(
                key=row.key,
                subject=row.subject,
                person=UserId(row.person),
                nudge=row.nudge,
                entry=None,
                snoozed_until=None,
            )
            for row in of[_NUDGE]
        ),
        pending=frozenset(row.subject for row in of[_PENDING]),
    )


def _request_of(rest: str) -> tuple[int, UserId]:
    position, _, person = rest.partition(" ")
    return int(position), UserId(person)
