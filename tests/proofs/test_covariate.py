"""A covariate that a program sends is the one that a file of rows would give."""

import numpy as np
import pytest

from builders import E7, NOW, a_goal, a_member, a_typed_plan, an_experiment
from labcoat.api.bodies import Results, totals_of
from labcoat.domain import submitted_totals
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import sample_of
from labcoat.stats.results import Readout
from labcoat.stats.rule import MetricKind, Sample
from labcoat.usecases.experiments import results
from labcoat.warehouse.files import asked
from labcoat.warehouse.files.asked import MetricColumns


def test_sent_moments_and_a_file_of_rows_give_the_same_readout(tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = np.random.default_rng(8)
    before = {name: rng.normal(50, 20, size=800) for name in ("control", "treatment")}
    after = {name: before[name] * 0.8 + rng.normal(5, 8, size=800) for name in before}
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    rows = [f"{name},{y},{x}" for name in before for y, x in zip(after[name], before[name], strict=True)]
    path.write_text("\n".join(["variant,spend,spend_before", *rows]), encoding="utf-8")
    sent = {
        name: {
            "units": 800,
            "mean": float(after[name].mean()),
            "sd": float(after[name].std(ddof=1)),
            "before": {
                "mean": float(before[name].mean()),
                "sd": float(before[name].std(ddof=1)),
                "covariance": float(np.cov(after[name], before[name])[0, 1]),
            },
        }
        for name in before
    }
    plan = a_typed_plan(a_goal("spend", kind=MetricKind.MEAN))
    experiment = an_experiment(ExperimentState.RUNNING, plan=plan)

    body = Results.model_validate({"metrics": {"spend": sent}})
    entries = submitted_totals.entries_of(experiment, totals_of(body, plan), by=a_member(), as_of=NOW, now=NOW)
    read = asked.read_asked(path, variant="variant", metrics=[MetricColumns(value="spend", covariate="spend_before")])

    by_file = Sample(exposed=(800, 800), moments={"spend": tuple(read.metrics[0][1][name] for name in before)})
    from_http = results.compute(experiment, sample_of({"spend": entries[0]}, "spend"), day=20, past=(), is_last=False)
    from_file = results.compute(experiment, by_file, day=20, past=(), is_last=False)
    assert entries[0].experiment == E7
    assert isinstance(from_http, Readout)
    assert isinstance(from_file, Readout)
    ours, theirs = from_http.estimates[0], from_file.estimates[0]
    assert ours.difference == pytest.approx(theirs.difference, rel=1e-9)
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-9)
