"""Few rows that lack something are left out of a file and told; with more it is refused. Limits are worked by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from builders import a_goal, a_typed_plan
from labcoat.domain.plan import Variant
from labcoat.domain.refusal import Refusal
from labcoat.stats.rule import MetricKind, Moments
from labcoat.usecases.experiments import uploads
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files.asked import MetricColumns, read_asked
from labcoat.words import refusals

EACH = 500
"""Units of each variant: one percent are five."""
GOAL = a_goal("revenue", kind=MetricKind.MEAN)
PLAN = replace(a_typed_plan(GOAL), variants=tuple(Variant(name=name, weight=0.5) for name in ("control", "new")))
WHOLE = [f"{n},{'new' if n % 2 else 'control'},{n % 7}" for n in range(2 * EACH)]


def written(folder: Path, *more: str, header: str = "user_id,variant,revenue") -> Path:
    path = folder / "units.csv"
    path.write_text("\n".join([header, *WHOLE, *more]) + "\n")
    return path


def form(path: Path) -> uploads.FileTotals:
    return uploads.read_file(path, PLAN, GOAL, name="units.csv", field="file")


def refused(path: Path) -> str:
    with pytest.raises(Refusal) as raised:
        form(path)
    with pytest.raises(SourceError) as caught:
        read_asked(path, metrics=[MetricColumns(value="revenue")])
    assert caught.value.message in refusals.text(raised.value)
    return caught.value.message


def assert_unchanged(totals: uploads.Totals) -> None:
    """Require what arithmetic gives for WHOLE: of each variant's values n % 7."""
    for name, first in (("control", 0), ("new", 1)):
        values = [n % 7 for n in range(first, 2 * EACH, 2)]
        mean = sum(values) / EACH
        variance = sum((value - mean) ** 2 for value in values) / (EACH - 1)
        found: Moments = totals["revenue"][name]
        assert (found.count, found.mean, found.variance) == pytest.approx((EACH, mean, variance), rel=1e-12)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["9001,,5"] * 1 + ["9002, ,5"], "Left out: 2 rows without variant (line 1,002)."),
        ([f"u{n},,5" for n in range(5)], "Left out: 5 rows without variant (line 1,002)."),
        ([",control,5"] * 5, "Left out: 5 rows without user_id (line 1,002)."),
        (
            [f"u{n},{arm},1" for n in range(9) for arm in ("control", "new")],
            "9 units in two variants (line 1,002 and",
        ),
        ([",,5"] * 5, "Left out: 5 rows without variant (line 1,002)."),
        (["9001,,5", ",new,3"], "Left out: 1 row without variant (line 1,002) and 1 row without user_id (line 1,003)."),
    ],
)
def test_one_percent_of_a_variant_is_left_out_and_told(tmp_path: Path, more: list[str], told: str) -> None:
    path = written(tmp_path, *more)

    found = form(path)

    assert_unchanged(found.totals)
    assert told in found.taken
    analysed = read_asked(path, metrics=[MetricColumns(value="revenue")])
    assert_unchanged({"revenue": analysed.metrics[0][1]})
    assert told in analysed.taken.text


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (
            [f"u{n},,5" for n in range(6)],
            "There is no variant on line 1,002, and 5 more, more than 1 % of a variant.",
        ),
        ([",,5"] * 6, "There is no variant on line 1,002, and 5 more, more than 1 % of a variant."),
        (
            [",,5"] * 3 + [",new,5"] * 3,
            "There is no variant on line 1,002, and 2 more, more than 1 % of a variant.",
        ),
        ([",control,5"] * 6, "There is no user_id on line 1,002, and 5 more, more than 1 % of a variant."),
        (
            [f"u{n},{arm},1" for n in range(11) for arm in ("control", "new")],
            "in two variants, on line 1,002 and line",
        ),
    ],
)
def test_more_is_refused_with_its_first_line(tmp_path: Path, more: list[str], wrong: str) -> None:
    assert wrong in refused(written(tmp_path, *more))


def test_a_row_without_variant_costs_nothing_where_its_unit_has_another(tmp_path: Path) -> None:
    path = written(tmp_path, *(f"{n},,100" for n in range(40)))

    found = form(path)

    assert_unchanged(found.totals)
    assert "40 rows without variant (line 1,002)" in found.taken


def test_a_variant_that_the_plan_does_not_have_is_left_out_while_it_is_small(tmp_path: Path) -> None:
    few, many = [f"u{n},holdout,5" for n in range(5)], [f"u{n},holdout,5" for n in range(6)]

    found = form(written(tmp_path, *few))

    assert_unchanged(found.totals)
    assert "Left out: 5 units of variants that the plan does not have (holdout)." in found.taken
    with pytest.raises(Refusal) as raised:
        form(written(tmp_path, *many))
    assert "“holdout” on line 1,002 is no variant of the plan" in refusals.text(raised.value)
    analysed = read_asked(written(tmp_path, *few), metrics=[MetricColumns(value="revenue")])
    assert analysed.units["holdout"] == 5


def test_without_a_column_of_units_every_row_is_one(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("variant,revenue\n" + "".join(f"{row.partition(',')[2]}\n" for row in WHOLE) + ",5\n" * 5)

    found = form(path)

    assert_unchanged(found.totals)
    assert "5 rows without variant (line 1,002)" in found.taken
