"""The largest of what runs, and of the nudges about it."""

from collections.abc import Iterator
from dataclasses import replace

import builders
from builders import E7, NOW, OWNER
from labcoat.domain import nudge as nudging
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import HypothesisNumber
from labcoat.domain.plan import ResultSource
from labcoat.domain.stall import NudgeCase
from labcoat.slack.blocks import Message, escape
from labcoat.slack.views import nudge
from largest_words import NAMES, text_of

ZONE = "Europe/Berlin"


def running_anew(dossier: Dossier) -> Dossier:
    """Return one of whose running treatments some were dropped, and that started over."""
    reason = text_of(2000)
    dropped = tuple(replace(builders.a_dropped(name), reason=reason) for name in NAMES[2:])
    fixed = replace(builders.a_fixed_cause(), reason=reason)
    return dossier.with_experiment(replace(dossier.experiments[0], dropped=dropped, fixed_cause=fixed))


def not_valid(dossier: Dossier) -> Dossier:
    """Return one whose numbers come from a metrics file, so that it can start over."""
    plan = replace(dossier.experiments[0].plan, source=ResultSource.WAREHOUSE)
    return dossier.with_experiment(replace(dossier.experiments[0], plan=plan))


def nudges() -> Iterator[tuple[str, Message]]:
    """Yield every nudge, in each of its shapes."""
    for role in nudging.Role:
        more = (("drop", "Drop a treatment"), ("fixed", "The cause is fixed"))
        items = [
            nudge.Item(nudge=_a_nudge(case, role), detail=text_of(300), more=more)
            for _ in range(20)
            for case in NudgeCase
        ]
        yield f"nudges to {role}", nudge.nudge_message(items, zone=ZONE)
        for item in items[: len(NudgeCase)]:
            yield f"nudge of {item.nudge.case} to {role}", nudge.nudge_message([item], zone=ZONE)
    words = escape(text_of(3000))
    ended = [nudge.Item(nudge=_a_nudge(case, nudging.Role.LEAD), ended=words) for case in NudgeCase]
    yield "nudges that are over", nudge.nudge_message(ended, zone=ZONE)
    yield "snoozed", nudge.snoozed_message(12, "Mon 30 Nov")


def _a_nudge(case: NudgeCase, role: nudging.Role) -> nudging.Nudge:
    return nudging.Nudge(
        case=case,
        step=3,
        person=OWNER,
        role=role,
        owner=OWNER,
        hypothesis=HypothesisNumber(12),
        experiment=E7,
        change=text_of(600),
        since=NOW,
        due_at=NOW,
    )
