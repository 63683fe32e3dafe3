"""The form of a prediction."""

from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.prediction import Prediction
from labcoat.slack.blocks import Block, escape, form, option, section, select_input
from labcoat.words import stories

CHANCES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
_NAMES = {5: "almost surely not", 20: "unlikely", 50: "a coin's toss", 80: "likely", 95: "almost surely"}


def prediction_form(dossier: Dossier, experiment: Experiment, *, earlier: Prediction | None, metadata: str) -> Block:
    """Return the form. earlier: what the person predicted before."""
    goal = experiment.plan.goal
    choices = [
        option(str(chance), f"{chance} %{f': {_NAMES[chance]}' if chance in _NAMES else ''}") for chance in CHANCES
    ]
    change = escape(dossier.hypothesis.change)
    blocks = [
        section(f"*E-{experiment.number}* {change}\n{escape(stories.plan_summary(experiment.plan))}"),
        select_input(
            "chance",
            f"How likely is an effect on {goal.name} that is worth having?",
            choices,
            initial=str(round(100 * earlier.chance)) if earlier else "50",
            hint="Hidden from everybody until the start, and fixed from then on.",
        ),
    ]
    return form("predict", title="Predict", submit="Predict", blocks=blocks, metadata=metadata)
