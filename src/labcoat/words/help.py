"""The help texts: six words first, everything on request; both made of one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to type, and what it does."""

    command: str
    does: str


SIX = (
    Line("/hypothesis", "file what you believe"),
    Line("/hypothesis list", "what is open"),
    Line("/hypothesis show H-12", "one, with its buttons"),
    Line("/experiment result H-12", "what the numbers say"),
    Line("/experiment ask H-12", "ask a lead to release it"),
    Line("/hypothesis search words", "have we tried this?"),
)

GROUPS: tuple[tuple[str, tuple[Line, ...]], ...] = (
    (
        "Hypotheses",
        (
            Line("/hypothesis what we change, for whom", "file one; nothing is filed by itself"),
            Line("/hypothesis list [mine|open|closed|stage <stage>|tag <tag>]", "lists"),
            Line("/hypothesis show H-12", "its card, only for you"),
            Line("/hypothesis search <words>", "what was tried before, with what was learned"),
            Line("/hypothesis edit H-12", "its words, until the first start"),
            Line("/hypothesis take H-12", "one that nobody owns"),
            Line("/hypothesis handover H-12", "to a new owner, or name a deputy"),
            Line("/hypothesis close H-12", "with what was learned"),
            Line("/hypothesis pivot H-12", "close it, and go on from it"),
            Line("/hypothesis reopen H-12", "a closed one, with a reason"),
            Line("/hypothesis import", "bring past work"),
        ),
    ),
    (
        "Prototypes",
        (
            Line("/hypothesis prototype H-12", "begin the cheapest thing that tests it"),
            Line("/hypothesis evidence H-12", "add what users or data said"),
            Line("/hypothesis cap H-12", "raise its cost cap, with a reason"),
            Line("/experiment need <text>", "note what infrastructure is missing; alone: the list"),
        ),
    ),
    (
        "Experiments (H-12 stands for its newest)",
        (
            Line("/experiment size 19% 5% [power alpha]", "how many units that takes"),
            Line("/experiment plan H-12", "units and days are worked out while you fill it in"),
            Line("/experiment adopt H-12", "one that runs already"),
            Line("/experiment predict E-7", "hidden until the start"),
            Line("/experiment start E-7", "Labcoat does not switch traffic"),
            Line(
                "/experiment record E-7 [metric] control=1200/24000 treatment=1310/24100",
                "totals; alone: a form, for a file too",
            ),
            Line("/experiment result E-7", "asking makes no look and spends nothing"),
            Line("/experiment drop E-7", "take out one of several treatments; the others go on"),
            Line("/experiment fixed E-7", "the cause of an uneven split is fixed: start over, once"),
            Line("/experiment stop E-7", "tell that traffic is off"),
            Line("/experiment cancel E-7", "a draft"),
            Line("/experiment again E-7", "a new draft with a stopped one's plan"),
        ),
    ),
    (
        "Decisions",
        (
            Line("/experiment ask E-7", "ask a lead to release the investment"),
            Line("/experiment decide E-7", "answer, as a lead"),
            Line("/experiment ship H-12", "tell that it is live"),
        ),
    ),
    (
        "The channel and you",
        (
            Line("/experiment", "what waits for you"),
            Line("/experiment digest [preview|now]", "only for you, or for the channel"),
            Line("/experiment settings", "digest, nudges, quiet hours, tags, leads"),
            Line("/experiment away", "until when, and who stands in"),
            Line("/experiment export [csv|parquet]", "everything as files, sent to you"),
        ),
    ),
)

SHORT = "*Labcoat* helps you learn before you build.\n" + "\n".join(f"• `{line.command}` {line.does}" for line in SIX)

ALL = "\n".join(
    f"*{title}*\n" + "\n".join(f"• `{line.command}` {line.does}" for line in lines) for title, lines in GROUPS
)

IDS = (
    "Ids work in any case, with or without the dash. Everything is a button too: on the card, in its “…” menu, in Home."
)
