"""A row without unit, variant, time or experiment never counts and never disappears quietly."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labcoat.domain.left_out import LeftOut
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading

HERE = Path(__file__).parent
UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
METRICS = """
sources: {shop: {engine: duckdb, tables: {exposures: exposures.csv, orders: orders.csv}}}
exposures:
  users:
    {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: exposed_at, experiment: experiment}
metrics:
  amount: {kind: mean, direction: up, table: orders, time: time, value: amount, window_days: 7}
  visits: {kind: mean, direction: up, value: visits}
"""
QUESTION = Question(
    key="E-7",
    goal="amount",
    metrics=(MetricQuestion(name="amount"),),
    variants=("control", "treatment"),
    since=None,
    until=UNTIL,
)


def a_world(folder: Path, odd: Sequence[str] = (), *, units: int = 100) -> MetricsFile:
    """So many units of each variant, first seen on October 31st, with one visit and no orders; and these rows."""
    rows = [f"u{n},E-7,{('control', 'treatment')[n % 2]},2026-10-31 09:00:00,1" for n in range(2 * units)]
    lines = ["user_id,experiment,variant,exposed_at,visits", *rows, *odd]
    (folder / "exposures.csv").write_text("\n".join(lines) + "\n")
    (folder / "orders.csv").write_text("user_id,time,amount\nnobody,2026-11-01 09:00:00,1.5\n")
    (folder / "metrics.yml").write_text(METRICS)
    return metrics_file.load(folder / "metrics.yml")


def refusal(world: MetricsFile, question: Question = QUESTION) -> str:
    with pytest.raises(SourceError) as caught:
        reading.read(world, question)
    assert caught.value.permanent
    return caught.value.message


@pytest.mark.parametrize("since", [None, datetime(2026, 10, 30, tzinfo=UTC)])
def test_a_row_without_a_variant_moves_no_exposure(tmp_path: Path, since: datetime | None) -> None:
    """Expected numbers: the units and means of the file's complete rows, by hand."""
    for name in ("exposures", "orders"):
        shutil.copy(HERE / f"null_variant_{name}.csv", tmp_path / f"{name}.csv")
    (tmp_path / "metrics.yml").write_text(METRICS)

    found = reading.read(metrics_file.load(tmp_path / "metrics.yml"), replace(QUESTION, since=since))

    assert found.sample.exposed == (100, 100)
    assert [one.mean for one in found.sample.moments["amount"]] == pytest.approx([20.2660, 21.8241], abs=5e-5)
    assert (found.crossed, found.left_out) == (0, LeftOut(no_variant=67, no_unit=1, nameless={"amount": 40}))


@pytest.mark.parametrize(
    ("row", "left_out"),
    [
        ("x{},E-7,,2026-10-31 09:00:00,1", LeftOut(no_variant=1)),
        ("x{},E-7,control,,1", LeftOut(no_time=1)),
        ("x{},,control,2026-10-31 09:00:00,1", LeftOut(no_experiment=1)),
        (",E-7,control,2026-10-31 09:00:00,{}", LeftOut(no_unit=1)),
        ('"  ",E-7,control,2026-10-31 09:00:00,{}', LeftOut(no_unit=1)),
        ("x{},E-7,holdout,2026-10-31 09:00:00,1", LeftOut(unplanned={"holdout": 1})),
    ],
)
def test_one_percent_of_a_variant_is_left_out_and_counted_and_more_is_refused(
    tmp_path: Path, row: str, left_out: LeftOut
) -> None:
    found = reading.read(a_world(tmp_path, [row.format(1)]), QUESTION)

    assert (found.sample.exposed, found.left_out) == ((100, 100), left_out)
    assert "more than 1 % of a variant" in refusal(a_world(tmp_path, [row.format(1), row.format(2)]))


def test_what_is_lost_in_several_ways_counts_together(tmp_path: Path) -> None:
    world = a_world(tmp_path, ["x,E-7,control,,1", "u2,E-7,treatment,2026-11-02 09:00:00,1"])

    message = refusal(world)

    assert message == (
        "The exposures of E-7 have 1 unit of 200 in two variants, too many to leave out. Together with 1 unit without "
        "a time in exposed_at that is more than 1 % of a variant, so it can't be left out. If these are several "
        "experiments, name the column `experiment`."
    )


def test_half_of_a_unit_in_two_variants_is_of_each(tmp_path: Path) -> None:
    both = [f"u{n},E-7,{('treatment', 'control')[n % 2]},2026-11-02 09:00:00,1" for n in range(3)]

    assert reading.read(a_world(tmp_path, both[:2]), QUESTION).crossed == 2
    assert "3 units of 200 in two variants" in refusal(a_world(tmp_path, both))


def test_a_small_variant_decides(tmp_path: Path) -> None:
    small = [f"s{n},E-7,other,2026-10-31 09:00:00,1" for n in range(20)]
    world = a_world(tmp_path, [*small, "x,E-7,,2026-10-31 09:00:00,1"])
    question = replace(QUESTION, variants=("control", "treatment", "other"))

    # It is one of 220, and may be one of the 20.
    assert "1 unit without a variant" in refusal(world, question)
    assert reading.read(world, replace(question, dropped=("other",))).left_out == LeftOut(no_variant=1)


def test_rows_of_no_experiment_and_no_variant_of_the_plan_are_told_and_judge_nothing(tmp_path: Path) -> None:
    foreign = [f"x{n},,blue,2026-10-31 09:00:00,1" for n in range(50)] + ["y,,,2026-10-31 09:00:00,1"]

    found = reading.read(a_world(tmp_path, foreign), QUESTION)

    assert found.left_out == LeftOut(no_experiment=51)


def test_what_lacks_something_before_the_start_is_no_loss(tmp_path: Path) -> None:
    early = [f"x{n},E-7,,2026-10-01 09:00:00,1" for n in range(50)]
    world = a_world(tmp_path, early)

    assert "50 units without a variant" in refusal(world)
    assert reading.read(world, replace(QUESTION, since=datetime(2026, 10, 30, tzinfo=UTC))).left_out == LeftOut()


@pytest.mark.parametrize("metric", ["amount", "visits"])
def test_case_and_outer_blanks_of_a_variant_are_the_plan_s_and_told(tmp_path: Path, metric: str) -> None:
    odd = ["x1,E-7,CONTROL,2026-10-31 09:00:00,1", 'x2,E-7," control ",2026-10-31 09:00:00,1']
    question = replace(QUESTION, goal=metric, metrics=(MetricQuestion(name=metric),))

    found = reading.read(a_world(tmp_path, odd), question)

    assert (found.sample.exposed, found.sample.moments[metric][0].count) == ((102, 100), 102)
    assert found.left_out == LeftOut(respelled={" control ": 2})


def test_variants_that_differ_in_case_alone_are_told_apart(tmp_path: Path) -> None:
    odd = [f"x{n},E-7,{('Control', 'control ')[n % 2]},2026-10-31 09:00:00,1" for n in range(100)]
    world = a_world(tmp_path, odd)

    found = reading.read(world, replace(QUESTION, variants=("control", "treatment", "Control")))

    assert found.sample.exposed == (150, 100, 50)


def test_plans_that_spell_a_variant_differently_are_read_together_as_alone(tmp_path: Path) -> None:
    other = [f"o{n},E-8,{('Control', 'treatment')[n % 2]},2026-10-31 09:00:00,1" for n in range(300)]
    world = a_world(tmp_path, [*other, ",,Control,2026-10-31 09:00:00,1", "x,,blue,2026-10-31 09:00:00,1"])
    questions = [QUESTION, replace(QUESTION, key="E-8", variants=("Control", "treatment"))]

    together = reading.read_many(world, questions)

    assert [one.sample.exposed for one in together if isinstance(one, Reading)] == [(100, 100), (150, 150)]
    assert together == [reading.read(world, question) for question in questions]


def test_a_unit_is_told_apart_from_another_with_blanks(tmp_path: Path) -> None:
    found = reading.read(a_world(tmp_path, ['"u1 ",E-7,control,2026-10-31 09:00:00,1']), QUESTION)

    assert (found.sample.exposed, found.crossed) == ((101, 100), 0)


def test_exposures_of_which_no_row_is_complete_are_refused(tmp_path: Path) -> None:
    world = a_world(tmp_path, ["x1,E-7,,2026-10-31 09:00:00,1"], units=0)

    assert "1 unit without a variant" in refusal(world)
