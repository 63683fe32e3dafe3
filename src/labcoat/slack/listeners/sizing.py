"""How many units an experiment takes, before there is any."""

import re
from collections.abc import Mapping

from labcoat.domain.amounts import read_baseline, read_effect, read_positive
from labcoat.slack.blocks import Message, notice_view
from labcoat.slack.listeners.call import Call, RenewFormError, Submission
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import sizing as views
from labcoat.stats.rule import MetricKind
from labcoat.usecases.experiments import sizing

_TYPED = re.compile(
    r"^(?P<baseline>[\d.,]+\s*%?)\s+(?:sd\s+(?P<deviation>[\d.,]+)\s+)?"
    r"(?P<minimum_effect>[\d.,]+\s*(?:%|percent|points?|pp|pts?)?)(?:\s+(?P<power>[\d.,]+)(?:\s+(?P<alpha>[\d.,]+))?)?$",
    re.IGNORECASE,
)


def size(call: Call, rest: str) -> None:
    """Answer what an experiment with this baseline and effect takes; without them, open a form."""
    match = _TYPED.match(rest)
    if match is None:
        call.open_form(views.size_form(metadata=call.metadata("")))
        return
    call.reply(_sized({name: text or "" for name, text in match.groupdict().items()}))


def submit_size(form: Submission) -> None:
    """Show what an experiment takes, in place of the form."""
    fields = ("baseline", "minimum_effect", "deviation", "power", "alpha")
    raise RenewFormError(notice_view("Size", _sized({name: form.answers.text(name) for name in fields})))


def _sized(texts: dict[str, str]) -> Message:
    deviation = read_positive(texts["deviation"], field="deviation") if texts["deviation"] else None
    kind = MetricKind.PROPORTION if deviation is None else MetricKind.MEAN
    baseline = read_baseline(texts["baseline"], kind=kind, field="baseline")
    asked = sizing.Asked(
        kind=kind,
        baseline=baseline,
        deviation=deviation,
        effect=read_effect(texts["minimum_effect"], kind=kind, field="minimum_effect"),
        power=read_positive(texts["power"], field="power", largest=0.99) if texts["power"] else 0.8,
        alpha=read_positive(texts["alpha"], field="alpha", largest=0.5) if texts["alpha"] else 0.05,
    )
    sizing.require_sizable(asked)
    return views.size_message(asked)


HANDLERS: Mapping[str, Handler] = {
    "size": Handler(run=size, submit=submit_size),
}
