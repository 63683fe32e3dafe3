"""Moments from one file of anyone's experiment: real files, real DuckDB."""

from pathlib import Path

import numpy as np
import pytest

from labcoat.domain.refusal import Refusal
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import asked
from labcoat.warehouse.files.asked import MetricColumns
from labcoat.words import refusals

ROWS = "user,arm,orders,spent,views,before\n1,a,1,5,3,2\n2,a,0,0,2,1\n3,b,1,9,4,6\n4,b,1,2,2,1\n5,b,0,4,3,3\n"
TOTALS = "arm,users,buyers,spent,spent_sd\nnew,1100,60,5.5,2\ncontrol,1000,50,5,2.5\n"


def _file(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _refused(path: Path, *metrics: MetricColumns, unit: str | None = None, count: str | None = None) -> str:
    with pytest.raises((SourceError, Refusal)) as caught:
        asked.read_asked(
            path, variant="arm", metrics=metrics or (MetricColumns(value="orders"),), unit=unit, count=count
        )
    return refusals.text(caught.value) if isinstance(caught.value, Refusal) else str(caught.value)


def test_zeros_and_ones_are_a_proportion_and_other_numbers_a_mean(tmp_path: Path) -> None:
    found = asked.read_asked(
        _file(tmp_path, ROWS),
        variant="arm",
        metrics=(MetricColumns(value="orders"), MetricColumns(value="spent")),
        unit="user",
    )

    assert found.units == {"a": 2, "b": 3}
    (proportion, orders), (mean, spent) = found.metrics
    assert (proportion, mean) == (MetricKind.PROPORTION, MetricKind.MEAN)
    assert (orders["b"].count, orders["b"].mean, orders["b"].variance) == pytest.approx((3, 2 / 3, 2 / 9))
    assert (spent["b"].mean, spent["b"].variance) == pytest.approx((5, np.var([9, 2, 4], ddof=1)))
    assert spent["b"].joint is None


def test_true_and_false_are_a_proportion(tmp_path: Path) -> None:
    path = _file(tmp_path, "arm,orders\na,true\na,false\nb,true\nb,true\n")

    found = asked.read_asked(path, variant="arm", metrics=(MetricColumns(value="orders"),))

    assert found.metrics[0][0] is MetricKind.PROPORTION
    assert found.metrics[0][1]["a"].mean == 0.5


def test_a_ratio_and_a_covariate_bring_their_covariances(tmp_path: Path) -> None:
    columns = MetricColumns(value="spent", denominator="views", covariate="before", covariate_denominator="views")

    ((kind, moments),) = asked.read_asked(_file(tmp_path, ROWS), variant="arm", metrics=(columns,)).metrics

    joint = moments["b"].joint
    assert kind is MetricKind.RATIO
    assert joint is not None
    assert joint.means == pytest.approx((3, 10 / 3, 3))
    expected = np.cov([[9, 2, 4], [4, 2, 3], [6, 1, 3], [4, 2, 3]])
    np.testing.assert_allclose(joint.covariances, expected)


def test_large_values_keep_their_variance(tmp_path: Path) -> None:
    values = [f"{arm},{1e9 + place % 3}" for arm in "ab" for place in range(3000)]
    path = _file(tmp_path, "\n".join(["arm,orders", *values]))

    ((_, moments),) = asked.read_asked(path, variant="arm", metrics=(MetricColumns(value="orders"),)).metrics

    assert moments["a"].variance == pytest.approx(2000 / 2999, rel=1e-6)


def test_totals_are_one_row_per_variant(tmp_path: Path) -> None:
    found = asked.read_asked(
        _file(tmp_path, TOTALS),
        variant="arm",
        metrics=(MetricColumns(value="buyers"), MetricColumns(value="spent", deviation="spent_sd")),
        count="users",
    )

    assert found.units == {"control": 1000, "new": 1100}
    assert found.metrics[0][1]["control"].mean == 0.05
    assert (found.metrics[1][1]["new"].mean, found.metrics[1][1]["new"].variance) == (5.5, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("arm,orders\n", "no rows"),
        ("arm;orders\na;1\n", "one value only, a"),
        ("arm,order\na,1\nb,0\n", "There is no column orders; the nearest is order."),
        ("arm,orders\na,1\n,0\n", "There is no arm on line 3"),
        ("arm,orders\na,1\na,0\n", "one value only, a"),
        ("arm,orders\na,1\nb,\n", "In orders, line 3 has nothing"),
        ("arm,orders\na,1\nb,many\n", "In orders, line 3 has “many”"),
        ("arm,orders\na,1\nb,nan\n", "In orders, line 3 has “nan”"),
        ("arm,orders\na,1\nb,inf\n", "In orders, line 3 has “inf”"),
        ("arm,orders\n" + "".join(f"v{place},1\n" for place in range(30)), "more than 20"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_change(tmp_path: Path, text: str, words: str) -> None:
    assert words in _refused(_file(tmp_path, text))


def test_units_twice_or_in_two_variants_are_refused(tmp_path: Path) -> None:
    twice = _file(tmp_path, "user,arm,orders\n1,a,1\n1,a,0\n2,b,1\n", "twice.csv")
    crossed = _file(tmp_path, "user,arm,orders\n1,a,1\n1,b,0\n2,b,1\n", "crossed.csv")

    assert "A user is there twice, on line 2 and line 3. Sum up" in _refused(twice, unit="user")
    assert "in two variants" in _refused(crossed, unit="user")


@pytest.mark.parametrize(
    ("was", "becomes", "metric", "words"),
    [
        ("1000,50", "1000,1050", MetricColumns(value="buyers"), "more successes (1,050) than units (1,000)"),
        ("1000,50", "1000,-1", MetricColumns(value="buyers"), "“-1” is below zero"),
        ("1000,50", "-1000,50", MetricColumns(value="buyers"), "“-1000” is below zero"),
        ("1000,50", "1000.5,50", MetricColumns(value="buyers"), "“1000.5” can't be read here"),
        ("1000,50", ",50", MetricColumns(value="buyers"), "Line 3 has an empty cell"),
        ("control", "new", MetricColumns(value="buyers"), "“new” is there twice"),
        ("5,2.5", "5,-2.5", MetricColumns(value="spent", deviation="spent_sd"), "“-2.5” is below zero"),
        ("x", "x", MetricColumns(value="spent", denominator="buyers"), "needs one row per unit"),
    ],
)
def test_totals_that_cannot_be_are_refused(
    tmp_path: Path, was: str, becomes: str, metric: MetricColumns, words: str
) -> None:
    assert words in _refused(_file(tmp_path, TOTALS.replace(was, becomes)), metric, count="users")


def test_two_rows_of_totals_for_a_variant_are_refused(tmp_path: Path) -> None:
    again = TOTALS + "new,5,1,1,1\n"

    assert "“new” is there twice" in _refused(_file(tmp_path, again), MetricColumns(value="buyers"), count="users")


@pytest.mark.parametrize(
    ("name", "words"), [("gone.csv", "no file"), ("*.csv", "no file"), ("rows.xlsx", "rows.xlsx is damaged")]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, words: str) -> None:
    _file(tmp_path, "PK\x03\x04 and so on", "rows.xlsx")

    assert words in _refused(tmp_path / name)


def test_a_name_with_quotes_is_a_name_and_nothing_else(tmp_path: Path) -> None:
    path = _file(tmp_path, 'arm,"x"") FROM file_rows; --"\na,1\nb,0\n')

    found = asked.read_asked(path, variant="arm", metrics=(MetricColumns(value='x") FROM file_rows; --'),))

    assert found.units == {"a": 1, "b": 1}
