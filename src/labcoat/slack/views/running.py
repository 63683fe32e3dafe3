"""The forms of an experiment that goes on running: drop a treatment, the cause of an uneven split is fixed."""

from datetime import datetime

from labcoat.domain.experiment import Experiment
from labcoat.domain.verdicts import harmed
from labcoat.slack.blocks import Block, context, escape, form, moment_input, option, radio_input, section, text_input
from labcoat.slack.views.experiment import NOT_SWITCHED
from labcoat.stats.results import Readout
from labcoat.words import numbers

_AFTER_DROPPING = (
    "What is dropped keeps its verdict. The other variants keep their shares to each other; if those change, stop the "
    "experiment and run it again."
)
_AFTER_FIXING = (
    "Units that were exposed before are left out, and earlier looks no longer count. The planned end stays, and what "
    "they have spent stays spent. An experiment can start over once: if its split is off again, run it again."
)


def drop_form(experiment: Experiment, *, readout: Readout | None, now: datetime, metadata: str) -> Block:
    """Return the form that drops one of the remaining treatments; proposed is the only one that does harm."""
    bad = harmed(readout) if readout is not None else ()
    initial = bad[0].treatment if len(bad) == 1 else None
    names = experiment.remaining_treatments
    blocks: list[Block] = [
        section(f"*E-{experiment.number}* goes on without one of its treatments. {_AFTER_DROPPING}"),
        radio_input("treatment", "Which one?", [option(name) for name in names], initial=initial),
        moment_input("at", "Since when does it get no traffic?", initial=now, hint=NOT_SWITCHED),
        text_input("reason", "Why?", example="It makes the app crash on old phones", is_long=True),
    ]
    return form("drop", title="Drop a treatment", submit="Drop it", metadata=metadata, blocks=blocks)


def fixed_form(experiment: Experiment, *, now: datetime, metadata: str) -> Block:
    """Return the form that tells that the cause of an uneven split is fixed."""
    assert experiment.since is not None
    began = numbers.day_and_time(experiment.since, experiment.plan.zone)
    variants = escape(" and ".join(experiment.remaining_variants))
    blocks: list[Block] = [
        section(f"*E-{experiment.number}* runs since {began}. Its split is tested anew over {variants}."),
        text_input(
            "reason",
            "What was it, and how was it fixed?",
            example="A redirect lost users of the treatment; it is gone since release 4.2",
            is_long=True,
        ),
        moment_input("since", "Since when is it fixed?", initial=now, hint="It can't be changed later."),
        context(_AFTER_FIXING),
    ]
    return form("fixed", title="The cause is fixed", submit="Start over", metadata=metadata, blocks=blocks)
