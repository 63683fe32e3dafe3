"""Every refusal, with facts as long as they come."""

from collections.abc import Iterator

from builders import LEAD, NOW, OWNER
from labcoat.domain.lifecycle import RequestState, Stage, Step
from labcoat.domain.person import Standing
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack import errors
from labcoat.slack.blocks import Message
from largest_words import text_of

ZONE = "Europe/Berlin"


def refusals() -> Iterator[Message]:
    """Yield a refusal of each reason, with facts as long as they come."""
    facts = {
        name: text_of(600)
        for name in (
            "text",
            "name",
            "known",
            "hint",
            "because",
            "id",
            "metric",
            "before",
            "decision",
            "command",
            "what",
            "unit",
        )
    }
    for reason in Reason:
        refusal = Refusal(
            reason,
            hypothesis=999_999_999,
            experiment=999_999_999,
            owner=OWNER,
            asked_of=LEAD,
            channel="C1",
            stage=Stage.PROTOTYPE,
            state=RequestState.WAITING,
            by=LEAD,
            at=NOW.isoformat(),
            step=Step.ASK,
            length=3000,
            longest=600,
            cap=2.0,
            total=0.9,
            window=7.0,
            until=NOW.isoformat(),
            count=21,
            most=20,
            standing=Standing.GUEST,
            kind="proportion",
            events=10**12,
            units=10**12,
            megabytes=1,
            line=10**6,
            **facts,
        )
        yield errors.refusal_message(refusal, zone=ZONE)
