"""People in mrkdwn, and the forms and messages about who takes care of what."""

from collections.abc import Sequence

from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import OwnershipGiven, OwnershipRole
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import Stage
from labcoat.domain.person import Person
from labcoat.slack.blocks import (
    Block,
    Message,
    actions,
    anew,
    button,
    context,
    date_input,
    escape,
    form,
    person_input,
    quote,
    section,
    text_input,
)
from labcoat.words import numbers


def mention(person: UserId | None) -> str:
    """Return a mention, or that there is nobody."""
    return f"<@{person}>" if person else "nobody yet"


def handover_form(dossier: Dossier, *, metadata: str, typed: Hypothesis | None = None, reason: str = "") -> Block:
    """Return the form that gives a hypothesis another owner or deputy.

    typed: with whom somebody had filled it in, when somebody else handed it over; reason: theirs.
    """
    hypothesis = dossier.hypothesis
    may_be_nobodys = hypothesis.stage is Stage.HYPOTHESIZE
    nobody = " Leave it empty and whoever wants it can take it." if may_be_nobodys else ""
    now = f"Now with {mention(hypothesis.owner)}"
    now += f", deputy {mention(hypothesis.deputy)}" if hypothesis.deputy else ""
    shown = typed or hypothesis
    meanwhile = section(f":eyes: *Somebody handed it over while you were typing.* {now}. If you still mean it, go on.")
    blocks = [
        *([meanwhile] if typed else []),
        section(f"*H-{hypothesis.number}* {escape(numbers.shortened(hypothesis.change, 300))}"),
        context(f"{now}. Whoever ever owned it or stood in can't approve it."),
        person_input(
            "owner",
            "Owner",
            initial=shown.owner,
            hint=f"They get a message with the next steps.{nobody}",
            is_optional=may_be_nobodys,
        ),
        person_input(
            "deputy",
            "Deputy",
            initial=shown.deputy,
            hint="May do what the owner may, at any time.",
            is_optional=True,
        ),
        text_input(
            "reason",
            "A word to them",
            initial=reason,
            example="You know checkout better than I do",
            is_long=True,
            is_optional=True,
        ),
    ]
    blocks = [anew(block, f"{hypothesis.version}") for block in blocks]
    return form("handover", title="Hand over", submit="Hand over", metadata=metadata, blocks=blocks)


def away_form(person: Person, *, zone: str, metadata: str) -> Block:
    """Return the form of somebody who goes away; who is away already can say that they are back."""
    until = person.away_until
    zone = person.zone or zone
    blocks: list[Block] = []
    if until is not None:
        stand_in = f", and {mention(person.stand_in)} stands in for you" if person.stand_in else ""
        lead = f":palm_tree: You are away until {numbers.day(until, zone)}{stand_in}."
        blocks.append(section(lead, accessory=button("I am back", verb="back", value="", style="primary")))
    blocks += [
        date_input(
            "back_on",
            "First day back",
            initial=numbers.iso_day(until, zone) if until is not None else None,
            hint="Until then you get no nudges, and nobody waits for your approval.",
            is_optional=False,
        ),
        person_input(
            "stand_in",
            "Who stands in for you?",
            initial=person.stand_in,
            hint="They may do what you may with your hypotheses, and are nudged in your place.",
            is_optional=True,
        ),
    ]
    return form("away", title="I am away", submit="Save", metadata=metadata, blocks=blocks)


def back_message() -> Message:
    """Return the answer to whoever is back."""
    text = "Welcome back. Nudges and requests come to you again."
    return Message(text=text, blocks=(section(text),))


def taken_message(dossier: Dossier, *, buttons: Sequence[Block]) -> Message:
    """Return the answer to whoever took a hypothesis. buttons: what its owner can do next."""
    lead = f":wave: *H-{dossier.hypothesis.number} is yours now.* {_change(dossier)}"
    return Message(text=f"H-{dossier.hypothesis.number} is yours now", blocks=(section(lead), actions(_few(buttons))))


def ownership_message(dossier: Dossier, fact: OwnershipGiven, *, buttons: Sequence[Block]) -> Message:
    """Return what a new owner or deputy reads. buttons: what can be done next."""
    number, by = dossier.hypothesis.number, fact.by
    if fact.role is OwnershipRole.DEPUTY:
        owner = mention(dossier.hypothesis.owner)
        title = f"You are deputy of H-{number}"
        what = f"{mention(by)} asks you to stand in for {owner}: you may do what they may, at any time."
    else:
        title = f"H-{number} is yours now"
        what = f"{mention(by)} handed it over to you."
    reason = f"\n{quote(fact.reason)}" if fact.reason else ""
    onward = button("Hand it on", verb="handover", value=f"H-{number}")
    return Message(
        text=f"{title}: {_change(dossier)}",
        blocks=(
            section(f":wave: *{title}*\n{_change(dossier)}"),
            section(f"{what}{reason}"),
            actions([*_few(buttons), button("Show", verb="show", value=f"H-{number}"), onward]),
        ),
    )


def _few(buttons: Sequence[Block]) -> list[Block]:
    return [one for one in buttons if one["action_id"] not in ("close", "cancel", "show")][:2]


def _change(dossier: Dossier) -> str:
    return escape(numbers.shortened(dossier.hypothesis.change, 300))


def stand_in_message(by: UserId, until: str) -> Message:
    """Return what somebody reads who stands in. until: a day, in words."""
    text = (
        f":palm_tree: {mention(by)} is away until {until}, and you stand in. Until then you may do what they may with "
        "their hypotheses, and nudges about them come to you."
    )
    return Message(text=text, blocks=(section(text), actions([button("What is open", verb="list", value="open")])))


def lead_message(by: UserId) -> Message:
    """Return what a new lead reads."""
    text = (
        f":mortar_board: {mention(by)} made you a lead. Requests to build something for real may come to you now: "
        "you approve, send back or decline, each with a word on why."
    )
    return Message(text=text, blocks=(section(text), actions([button("What is open", verb="list", value="open")])))
