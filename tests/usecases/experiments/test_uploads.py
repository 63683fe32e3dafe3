"""What a table says of a plan: totals of one metric, or of every metric whose column is there."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from builders import a_goal, a_guardrail, a_typed_plan, events
from labcoat.domain.plan import PlannedMetric
from labcoat.domain.refusal import Refusal
from labcoat.stats.rule import Direction, MetricKind, Moments, Role
from labcoat.usecases.experiments import uploads
from labcoat.words import refusals

GOAL, GUARDRAIL = a_goal(), a_guardrail("refund rate")
BASKET = PlannedMetric(name="basket", role=Role.SECONDARY, kind=MetricKind.MEAN, direction=Direction.UP)
PLAN = a_typed_plan(GOAL, GUARDRAIL, BASKET)
UNITS = "user_id,variant,orders per user,refund_rate,Basket\n1,control,1,0,3.5\n2,treatment,0,0,1\n3,treatment,1,1,2\n"


def read(
    folder: Path, content: str | bytes, *, chosen: PlannedMetric = GOAL, name: str = "units.csv"
) -> uploads.Totals:
    path = folder / "given"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return uploads.read_file(path, PLAN, chosen, name=name, field="file").totals


def refused(folder: Path, content: str | bytes, *, chosen: PlannedMetric = GOAL, name: str = "units.csv") -> str:
    with pytest.raises(Refusal) as raised:
        read(folder, content, chosen=chosen, name=name)
    assert raised.value.field == "file"
    return refusals.text(raised.value)


def test_every_metric_that_is_there_is_read(tmp_path: Path) -> None:
    totals = read(tmp_path, UNITS)

    assert list(totals) == ["orders per user", "refund rate", "basket"]
    assert totals["orders per user"]["treatment"] == events(1, of=2)
    assert totals["basket"]["treatment"] == Moments(count=2, mean=1.5, variance=0.5)


def test_the_chosen_metric_may_be_called_value(tmp_path: Path) -> None:
    table = "variant,value\ncontrol,1\ncontrol,0\ntreatment,1\ntreatment,1\n"

    assert read(tmp_path, table, chosen=GUARDRAIL) == {
        "refund rate": {"control": events(1, of=2), "treatment": events(2, of=2)}
    }


def test_a_row_a_variant_gives_the_chosen_metric(tmp_path: Path) -> None:
    table = "Arm;Users;Conversions\ncontrol;24.000;1.200\ntreatment;24 100;1'310\n"

    assert read(tmp_path, table) == {
        "orders per user": {"control": events(1200, of=24_000), "treatment": events(1310, of=24_100)}
    }


def test_a_row_a_variant_gives_other_metrics_by_their_names(tmp_path: Path) -> None:
    table = (
        "variant,n,orders per user,refund rate,basket,basket sd\ncontrol,100,10,3,2.5,1.5\ntreatment,100,12,2,2.6,1.5\n"
    )

    totals = read(tmp_path, table)

    assert totals["refund rate"]["control"] == events(3, of=100)
    assert totals["basket"]["treatment"] == Moments(count=100, mean=2.6, variance=2.25)


def test_a_few_rows_of_units_are_units_whatever_else_they_count(tmp_path: Path) -> None:
    table = "user_id,variant,total,orders per user\n1,control,30,1\n2,treatment,20,0\n3,control,10,0\n"

    assert read(tmp_path, table)["orders per user"] == {"control": events(1, of=2), "treatment": events(0, of=1)}


def test_totals_of_campaigns_are_no_units(tmp_path: Path) -> None:
    table = (
        "campaign_id,variant,users,orders per user\n1,control,30,1\n1,treatment,20,0\n2,control,10,0\n2,treatment,9,1\n"
    )

    assert "“control” is there twice, on line 2 and line 4" in refused(tmp_path, table)


def test_counts_of_the_metric_are_taken_before_a_rounded_rate(tmp_path: Path) -> None:
    table = "variant,n,orders per user,rate\ncontrol,24000,1201,5 %\ntreatment,24100,1410,5.9 %\n"

    assert read(tmp_path, table)["orders per user"] == {
        "control": events(1201, of=24_000),
        "treatment": events(1410, of=24_100),
    }


def test_decimal_commas_of_means_are_read(tmp_path: Path) -> None:
    table = "variant;n;mean;sd\ncontrol;24.000;4,25;7,5\ntreatment;24.100;4.021,5;7\n"

    totals = read(tmp_path, table, chosen=BASKET)

    assert totals["basket"]["control"] == Moments(count=24_000, mean=4.25, variance=56.25)
    assert totals["basket"]["treatment"].mean == 4021.5


def test_a_pasted_table_is_read_as_a_file_is() -> None:
    table = "variant\tn\tsuccesses\ncontrol\t100\t10\ntreatment\t100\t12"

    totals = uploads.read_table(table, PLAN, GOAL, field="table").totals

    assert totals == {"orders per user": {"control": events(10, of=100), "treatment": events(12, of=100)}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "is damaged"),
        (b"", "units.csv is empty"),
        ("user,variant,order_per_user\n1,control,1\n", "nor one named orders per user; the nearest is order_per_user"),
        ("user_id,vaiant,orders per user\n1,control,1\n", "no column variant; the nearest is vaiant"),
        ("a,b\n1,2\n", "no column variant; its columns are a, b. A table of totals has"),
        ("variant,orders per user,Orders_per_User\ncontrol,1,1\n", "The column orders per user is there twice"),
        ("variant,Variant,orders per user\ncontrol,control,1\n", "The column variant is there twice"),
        ("variant,orders per user\ncontrol,1\nblue,1\n", "“blue” on line 3 is no variant of the plan"),
        ("variant,orders per user\ncontrol,1\ntreatmnt,1\n", "Did you mean treatment?"),
        ("variant,orders per user\ncontrol,1\n", "The numbers of “treatment” are missing from orders per user"),
        ("variant,orders per user\ncontrol,x\n", "In orders per user, line 2 has “x”"),
        ("variant,orders per user,basket\ncontrol,1,\n", "In basket, line 2 has nothing"),
        ("variant,n,successes\ncontrol,10,11\ntreatment,10,1\n", "“control” has more successes (11) than units (10)"),
        ("variant,n,successes\ncontrol,10,1\nControl,10,1\n", "“Control” is there twice"),
        ("variant,n,successes\ncontrol,10.5,1\ntreatment,10,1\n", "“10.5” can't be read here"),
        ("variant,n,successes\n", "no rows below the names of the columns"),
        ("variant,n,successes\ncontrol,,1\n", "Line 2 has an empty cell"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_what_to_do(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert said in refused(tmp_path, content)


def test_numbers_of_a_mean_that_could_be_meant_in_two_ways_are_asked_about(tmp_path: Path) -> None:
    table = "variant;n;mean;sd\ncontrol;100;1.234;5\ntreatment;100;1.235;5\n"

    assert "can be read as thousands or as decimals" in refused(tmp_path, table, chosen=BASKET)


@pytest.mark.parametrize(
    "table",
    [
        "variant,n,successes\ncontrol,24.000,3.000\ntreatment,25.000,5.000\n",
        "variant;n;successes\ncontrol;24,000;3\ntreatment;25,000;5\n",
        "variant\tn\tsuccesses\ncontrol\t24.000\t3\ntreatment\t25\t5\n",
    ],
)
def test_counts_that_could_be_meant_in_two_ways_are_asked_about(tmp_path: Path, table: str) -> None:
    assert "can be read as thousands or as decimals" in refused(tmp_path, table)


@pytest.mark.parametrize(
    "table",
    [
        "variant;n;successes\ncontrol;24.000;1.200\ntreatment;24.100;1.310\n",
        'variant,n,successes\ncontrol,"24,000","1,200"\ntreatment,"24,100","1,310"\n',
        "variant\tn\tsuccesses\ncontrol\t24,000\t1,200\ntreatment\t24,100\t1,310\n",
        "variant,n,successes\ncontrol,24 000,1200.0\ntreatment,24'100,1310.0\n",
    ],
)
def test_counts_are_whole_so_most_say_themselves_what_groups_them(tmp_path: Path, table: str) -> None:
    assert read(tmp_path, table)["orders per user"]["treatment"] == events(1310, of=24_100)


@pytest.mark.parametrize("type_name", ["DECIMAL(18, 3)", "DECIMAL(18, 2)", "DOUBLE", "BIGINT"])
def test_counts_of_a_parquet_file_are_what_their_type_says(tmp_path: Path, type_name: str) -> None:
    path = tmp_path / "totals.parquet"
    rows = f"('control', 24::{type_name}, 3::{type_name}), ('treatment', 25::{type_name}, 5::{type_name})"
    duckdb.execute(f"COPY (SELECT * FROM (VALUES {rows}) AS t(variant, n, successes)) TO '{path}'")

    totals = uploads.read_file(path, PLAN, GOAL, name="totals.parquet", field="file").totals

    assert totals == {"orders per user": {"control": events(3, of=24), "treatment": events(5, of=25)}}


def test_a_deviation_below_zero_is_refused(tmp_path: Path) -> None:
    table = "variant,n,mean,sd\ncontrol,100,1,-5\ntreatment,100,1,5\n"

    assert "“-5” is below zero" in refused(tmp_path, table, chosen=BASKET)


def test_the_plan_s_own_unit_names_the_column_of_units(tmp_path: Path) -> None:
    plan = replace(PLAN, unit="basket id")
    path = tmp_path / "units.csv"
    path.write_text("basket_id,variant,orders per user\n1,control,1\n1,treatment,1\n")

    with pytest.raises(Refusal) as raised:
        uploads.read_file(path, plan, GOAL, name="units.csv", field="file")

    assert "A basket_id is in two variants, on line 2 and line 3" in refusals.text(raised.value)
