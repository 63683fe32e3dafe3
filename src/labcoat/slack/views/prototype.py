"""The forms of a prototype: begin it, add evidence, raise its cap."""

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind, EvidenceSource
from labcoat.slack.blocks import (
    Block,
    context,
    divider,
    escape,
    form,
    option,
    radio_input,
    section,
    select_input,
    text_input,
)
from labcoat.slack.views.card import sentence
from labcoat.words import numbers

TUNED = "tuned"


def prototype_form(dossier: Dossier, *, metadata: str) -> Block:
    """Return the form that begins a prototype."""
    return form(
        "prototype",
        title="Begin a prototype",
        submit="Begin",
        metadata=metadata,
        blocks=[
            section(sentence(dossier.hypothesis)),
            text_input(
                "summary",
                "What is the cheapest thing that tests it?",
                hint="Start with a SQL query, but go through the full cycle: real users should react to it.",
                example="A SQL query re-ranks 50 result pages; five users compare them with today's",
                is_long=True,
            ),
            text_input(
                "cap", "Cost cap in person-days", hint="What you will spend at most before you look again.", example="2"
            ),
            text_input(
                "stop_when",
                "What would make us stop?",
                hint="Fixed from now on: it is what the evidence is read against.",
                example="Fewer than 3 of 5 prefer the new order",
                is_long=True,
            ),
            text_input(
                "build_guess",
                "What would the real thing take, in person-days?",
                hint="A guess, fixed from now on. Leave it empty for “don't know”.",
                example="30",
                is_optional=True,
            ),
        ],
    )


def evidence_form(dossier: Dossier, *, kind: EvidenceKind | None, metadata: str) -> Block:
    """Return the form that adds evidence; an offline evaluation asks for what makes it believable."""
    spent = dossier.prototypes[-1].spent_days if dossier.prototypes else 0.0
    blocks = [
        select_input(
            "kind",
            "How did you find out?",
            [
                option(one, f"{one} ({'users' if one.source is EvidenceSource.USERS else 'data'})")
                for one in EvidenceKind
            ],
            initial=kind,
            is_live=True,
        ),
        text_input("count", "How many users, queries or rows does it rest on?", example="5"),
        text_input(
            "summary", "What did they do or say?", example="4 of 5 found the fresh offers without help", is_long=True
        ),
        text_input("link", "Link", example="https://…", is_optional=True),
        text_input(
            "spent",
            "Person-days spent on the prototype so far",
            initial=f"{spent:g}" if spent else "",
            example="1",
            is_optional=True,
        ),
    ]
    if kind is EvidenceKind.OFFLINE:
        blocks[1:1] = _offline_inputs()
    return form("evidence", title="Add evidence", submit="Add", metadata=metadata, blocks=blocks)


def _offline_inputs() -> list[Block]:
    return [
        context("An offline gain is evidence for a plan, never a verdict."),
        text_input("offline_metric", "Offline metric", example="NDCG@10"),
        text_input("baseline", "Baseline", example="0.412"),
        text_input("candidate", "Candidate", example="0.431"),
        text_input("data_set", "Data set", example="Clicks of October, 2 million queries"),
        text_input("split", "Split", example="Last week held out"),
        radio_input(
            TUNED,
            "Was the candidate tuned on it?",
            [option("no", "No"), option("yes", "Yes")],
        ),
        divider(),
    ]


def cap_form(dossier: Dossier, *, metadata: str) -> Block:
    """Return the form that raises the newest prototype's cap."""
    newest = dossier.prototypes[-1]
    spent, cap = numbers.plain(newest.spent_days), numbers.person_days(newest.cap_days)
    lead = f"*H-{dossier.hypothesis.number}* {escape(dossier.hypothesis.change)}"
    blocks = [
        section(f"{lead}\n{spent} of {cap} are spent. We stop if: {escape(newest.stop_when)}"),
        text_input("cap", "New cap in person-days", example=f"{newest.cap_days + 2:g}"),
        text_input(
            "reason",
            "What is worth more time?",
            hint="Stays visible. If nothing comes to mind, closing it is a result too.",
            example="Two of five testers could not be reached",
            is_long=True,
        ),
    ]
    return form("cap", title="Raise the cap", submit="Raise it", blocks=blocks, metadata=metadata)
