"""A row for each variant: counts, rates, and means with whatever says how they scatter."""

import math
from pathlib import Path

import pytest

from labcoat.domain.refusal import Refusal
from labcoat.stats.rule import Moments
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import read as reader
from labcoat.warehouse.files.totals import Roles, VariantTotals, read_totals
from labcoat.words import refusals


def read(folder: Path, text: str, roles: Roles, *, known: frozenset[str] = frozenset()) -> VariantTotals:
    path = folder / "totals.csv"
    path.write_text(text, encoding="utf-8")
    with reader.opened(path, name="totals.csv", seconds=60) as table:
        return read_totals(table, variant=0, n=1, metrics=[roles], known=known, field="file")


def refused(folder: Path, text: str, roles: Roles) -> str:
    with pytest.raises((SourceError, Refusal)) as raised:
        read(folder, text, roles)
    return refusals.text(raised.value) if isinstance(raised.value, Refusal) else str(raised.value)


# Four units with the values 1, 2, 3 and 6: mean 3, variance 14/3, sum 12, sum of squares 50.
VALUES = (1.0, 2.0, 3.0, 6.0)
VARIANCE = sum((value - 3) ** 2 for value in VALUES) / 3


@pytest.mark.parametrize(
    ("value", "spread", "roles"),
    [
        (3.0, math.sqrt(VARIANCE), {"mean": 2, "sd": 3}),
        (3.0, VARIANCE, {"mean": 2, "variance": 3}),
        (3.0, math.sqrt(VARIANCE / 4), {"mean": 2, "se": 3}),
        (12.0, 50.0, {"sum": 2, "sum_squares": 3}),
        (3.0, 50.0, {"mean": 2, "sum_squares": 3}),
        (12.0, math.sqrt(VARIANCE), {"sum": 2, "sd": 3}),
    ],
)
def test_a_mean_is_the_same_whatever_says_how_it_scatters(
    tmp_path: Path, value: float, spread: float, roles: Roles
) -> None:
    found = read(tmp_path, f"v,n,x,s\na,4,{value!r},{spread!r}\nb,4,{value!r},{spread!r}\n", roles)

    moments = found.moments[0]["a"]
    assert moments.count == 4
    assert moments.mean == pytest.approx(3)
    assert moments.variance == pytest.approx(VARIANCE, rel=1e-12)


@pytest.mark.parametrize(
    ("header", "cells"),
    [("rate", ("5 %", "7.5%")), ("rate", ("0.05", "0.075")), ("rate (%)", ("5", "7.5")), ("pct", ("5%", "7.5%"))],
)
def test_a_rate_is_read_with_its_units(tmp_path: Path, header: str, cells: tuple[str, str]) -> None:
    found = read(tmp_path, f"v,n,{header}\na,1000,{cells[0]}\nb,2000,{cells[1]}\n", {"rate": 2})

    assert found.moments[0]["a"] == Moments(count=1000, mean=0.05, variance=pytest.approx(0.05 * 0.95))  # type: ignore[arg-type]
    assert found.moments[0]["b"].mean == pytest.approx(0.075)


def test_a_rate_above_one_is_refused(tmp_path: Path) -> None:
    assert "The rate of “a” is 5. Write it as 5 % or 0.05" in refused(
        tmp_path, "v,n,r\na,1000,5\nb,1000,6\n", {"rate": 2}
    )


@pytest.mark.parametrize("name", ["Total", "TOTAL", "Grand Total", "Gesamt", ""])
def test_a_row_that_sums_up_the_others_is_left_out(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, f"v,n,x\na,1000,100\nb,1010,131\n{name},2010,231\n", {"successes": 2})

    assert dict(found.units) == {"a": 1000, "b": 1010}


def test_totals_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, "v,n,x\na,1000,100\nb,1010,131\nTotal,3010,331\n", {"successes": 2})

    assert "“Total” on line 4 says 3,010 n, and the other rows add up to 2,010" in said


def test_totals_whose_successes_do_not_add_up_are_refused_too(tmp_path: Path) -> None:
    text = "v,n,x\na,1000,100\nb,1010,131\nTotal,2010,{}\n"

    for total in ("231", ""):
        assert dict(read(tmp_path, text.format(total), {"successes": 2}).units) == {"a": 1000, "b": 1010}
    said = refused(tmp_path, text.format(331), {"successes": 2})
    assert "“Total” on line 4 says 331 x, and the other rows add up to 231" in said


def test_a_total_of_means_is_no_sum(tmp_path: Path) -> None:
    text = "v,n,x,s\na,1000,5.25,5\nb,1010,5.75,5\nTotal,2010,5.5,\n"

    assert set(read(tmp_path, text, {"mean": 2, "sd": 3}).units) == {"a", "b"}


def test_a_variant_called_total_is_a_variant_if_the_plan_has_it(tmp_path: Path) -> None:
    text = "v,n,x\na,1000,100\nb,1010,131\ntotal,2010,231\n"

    assert set(read(tmp_path, text, {"successes": 2}, known=frozenset({"total"})).units) == {"a", "b", "total"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("v;n;m;s\na;100;1.234;5\nb;100;1.235;5\n", "Some numbers of m can be read as thousands or as decimals"),
        ("v\tn\tm\ts\na\t100\t1,234\t5\nb\t100\t1,235\t5\n", "Some numbers of m can be read as thousands"),
        ("v,n,m,s\na,100,$5,1\nb,100,€5,1\n", "In m there is more than one currency"),
        ("v,n,m,s\na,100,5%,1\nb,100,0.05,1\n", "In m some numbers have a percent sign, others none"),
        ("v,n,m,s\na,100,5,1\nb,100,lots,1\n", "“lots” can't be read here"),
        ("v,n,m,s\na,100,5,(1)\nb,100,5,1\n", "“(1)” is below zero"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text, {"mean": 2, "sd": 3})


def test_another_column_proves_how_the_file_writes_numbers(tmp_path: Path) -> None:
    found = read(tmp_path, "v;n;m;s\na;100;1.234;5,5\nb;100;1.235;5,25\n", {"mean": 2, "sd": 3})

    assert found.moments[0]["a"].mean == 1234


def test_too_small_a_sum_of_squares_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, "v,n,x,s\na,4,12,30\nb,4,12,50\n", {"sum": 2, "sum_squares": 3})

    assert "A sum of squares of 30 is too small for its sum" in said
