"""An export says of which treatment a verdict is, and each treatment's own."""

from dataclasses import replace
from typing import Any

from builders import E7, NOW, a_dossier, a_request, an_ending, an_experiment
from labcoat.domain import exporting
from labcoat.domain.export_columns import row as row_of
from labcoat.domain.export_readouts import READOUTS, treatments_of
from labcoat.domain.exporting import EXPERIMENTS, HYPOTHESES, Told
from labcoat.domain.hypothesis import Decision
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look
from labcoat.stats.results import Held, Readout, Verdict
from readouts import BIG, ORDERS, SMALL, a_photo_plan, a_win_and_a_harm, as_stored_before
from usecases.storing import a_sample

EXPERIMENT = an_experiment(ExperimentState.RUNNING, plan=a_photo_plan())
DOSSIER = a_dossier(EXPERIMENT)


def _tested(readout: Readout) -> dict[str, Any]:
    row = row_of(EXPERIMENTS, exporting.Tested(dossier=DOSSIER, experiment=EXPERIMENT, readout=readout))
    return dict(zip((one.name for one in EXPERIMENTS), row, strict=True))


def _seen(readout: Readout) -> list[dict[str, Any]]:
    sample = replace(a_sample(), exposed=(5000, 5000, 5000))
    look = Look(experiment=E7, slot=NOW, as_of=NOW, made_at=NOW, sample=sample, readout=readout)
    return [
        dict(zip((one.name for one in READOUTS), row_of(READOUTS, seen), strict=True))
        for seen in treatments_of(DOSSIER, EXPERIMENT, look)
    ]


def test_the_verdict_of_an_experiment_is_the_headlines() -> None:
    row = _tested(a_win_and_a_harm())

    assert (row["verdict"], row["verdict_treatment"], row["verdict_metric"]) == ("win", BIG, ORDERS)


def test_of_several_treatments_an_earlier_version_named_none() -> None:
    row = _tested(as_stored_before(a_win_and_a_harm()))

    assert (row["verdict"], row["verdict_treatment"], row["verdict_metric"]) == ("win", None, ORDERS)


def test_each_row_has_its_treatments_verdict_and_its_reasons() -> None:
    rows = _seen(a_win_and_a_harm())

    assert {(row["treatment"], row["verdict"], row["treatment_verdict"]) for row in rows} == {
        (BIG, "win", "win"),
        (SMALL, "win", "guardrail harm"),
    }
    assert {row["treatment_verdict_because"] for row in rows if row["treatment"] == SMALL} == {
        f"interval on the bad side: refunds, {SMALL}"
    }


def test_the_interval_that_people_read_is_exported_beside_the_looks_own() -> None:
    look = a_win_and_a_harm()
    held = Held(low=0.02, high=0.06, lift_low=0.02, lift_high=0.06, look=2, day=14)
    readout = replace(look, estimates=(replace(look.estimates[0], held=held), *look.estimates[1:]))

    first, second, *_ = _seen(readout)

    assert (first["difference_low"], first["held_low"], first["held_high"], first["held_look"]) == (
        0.012, 0.02, 0.06, 2,
    )  # fmt: skip
    assert second["held_low"] is None


def test_no_effect_is_exported_of_a_treatment_that_is_not_valid() -> None:
    look = a_win_and_a_harm()
    invalid = replace(look, treatments=(look.treatments[0], replace(look.treatments[1], verdict=Verdict.INVALID)))

    rows = _seen(invalid)

    assert [row["metric"] for row in rows if row["treatment"] == SMALL] == [None]


def test_what_was_asked_for_and_what_shipped_are_named() -> None:
    ending = replace(an_ending(Decision.SHIPPED), treatment=BIG)
    dossier = a_dossier(EXPERIMENT, requests=(replace(a_request(), treatment=BIG),), ending=ending)

    row = dict(zip((one.name for one in HYPOTHESES), row_of(HYPOTHESES, Told(dossier=dossier)), strict=True))

    assert (row["request_treatment"], row["shipped_treatment"]) == (BIG, BIG)
