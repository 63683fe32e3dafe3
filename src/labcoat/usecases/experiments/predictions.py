"""Predictions: made before the start, hidden until then, and read against the verdict."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from labcoat.db import people, predictions
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.member import Member
from labcoat.domain.prediction import Prediction
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.results import Verdict
from labcoat.usecases import publish

_CAME_TRUE = {
    Verdict.WIN: 1.0,
    Verdict.WIN_GUARDRAIL_OPEN: 1.0,
    Verdict.WIN_EFFECT_MOVED: 1.0,
    Verdict.NO_EFFECT: 0.0,
    Verdict.NO_GAIN: 0.0,
    Verdict.GOAL_HARM: 0.0,
    Verdict.GUARDRAIL_HARM: 0.0,
}


def require_open(experiment: Experiment) -> None:
    """Raise Refusal once the experiment has started: then it is known too well."""
    if experiment.state is not ExperimentState.DRAFT:
        raise Refusal(Reason.PREDICTIONS_CLOSED, experiment=experiment.number, state=experiment.state)


def predict(
    tx: Transaction, dossier: Dossier, experiment: Experiment, *, by: Member, chance: float, now: datetime
) -> None:
    """Store what a person expects, in place of what they expected before."""
    dossier.require_in_channel(by)
    require_open(experiment)
    workspace = dossier.hypothesis.workspace
    people.meet(tx, workspace, by.user)
    made = Prediction(experiment=experiment.number, person=by.user, chance=chance, made_at=now)
    predictions.put(tx, workspace, made)
    publish.publish(tx, dossier, shows=True)


def of_newest(tx: Transaction, dossier: Dossier) -> tuple[Prediction, ...]:
    """Return the predictions of the hypothesis's newest experiment."""
    newest = dossier.newest_experiment
    if newest is None:
        return ()
    made = predictions.list_of(tx, dossier.hypothesis.workspace, newest.number)
    # A start may be told late: what was predicted after traffic began was predicted too late.
    if newest.since is None or not newest.is_registered_late:
        return tuple(made)
    return tuple(one for one in made if one.made_at < newest.since)


def middle(made: Sequence[Prediction]) -> float:
    """Return the median chance; there must be a prediction."""
    return median(one.chance for one in made)


def closest(made: Sequence[Prediction], verdict: Verdict | None) -> Prediction | None:
    """Return the prediction of several that came closest to what the numbers say; None if they say nothing.

    verdict: of the treatment that comes first.
    """
    came_true = _CAME_TRUE.get(verdict) if verdict is not None else None
    if came_true is None or len(made) < 2:
        return None
    return min(made, key=lambda one: (abs(one.chance - came_true), one.made_at))
