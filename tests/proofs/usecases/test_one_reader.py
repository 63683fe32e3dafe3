"""One file gives one answer: to analyse, to an import, and to the form; however it is written."""

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders import a_goal, a_typed_plan
from labcoat.domain.plan import Variant
from labcoat.domain.refusal import Refusal
from labcoat.stats.rule import MetricKind, Moments
from labcoat.usecases.experiments import analysis, uploads
from labcoat.usecases.experiments.uploads import FileTotals
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files.asked import FileMoments, MetricColumns, read_asked
from labcoat.warehouse.files.columns import Chosen
from labcoat.words import refusals

CASES = Path(__file__).parents[2] / "cases"
SHARES, STANDARD_ERRORS = "totals_semicolon_total_row.csv", "totals_standard_error.csv"
TWO_CANDIDATES, UNITS = "totals_two_candidates.csv", "units_three_names.csv"


def imported(
    path: Path, metric: str, *, kind: MetricKind = MetricKind.PROPORTION, columns: Chosen | None = None
) -> FileTotals:
    """Return what the form reads; with columns, what an import reads."""
    goal = a_goal(metric, kind=kind)
    variants = tuple(Variant(name=name, weight=0.5) for name in ("control", "new"))
    plan = replace(a_typed_plan(goal), variants=variants)
    return uploads.read_file(path, plan, goal, name=path.name, field="file", columns=columns or Chosen())


def analysed(path: Path, metric: str, *, count: str | None = None) -> FileMoments:
    return read_asked(path, metrics=[MetricColumns(value=metric)], count=count, flags=analysis.FLAGS)


def by_variant(found: FileTotals | FileMoments) -> dict[str, Moments]:
    if isinstance(found, FileMoments):
        (moments,) = [moments for _, moments in found.metrics]
    else:
        (moments,) = found.totals.values()
    return {name.casefold(): one for name, one in moments.items()}


def same(one: dict[str, Moments], other: dict[str, Moments]) -> bool:
    return one.keys() == other.keys() and all(
        (one[name].count, one[name].mean, one[name].variance)
        == pytest.approx((other[name].count, other[name].mean, other[name].variance), rel=1e-12)
        for name in one
    )


def test_a_totals_row_is_left_out_and_said() -> None:
    form, terminal = imported(CASES / SHARES, "buyers"), analysed(CASES / SHARES, "buyers")

    control, new = by_variant(form)["control"], by_variant(form)["new"]
    assert (control.count, control.mean) == (24_000, 1_200 / 24_000)
    assert (new.count, new.mean) == (24_100, 1_410 / 24_100)
    assert same(by_variant(form), by_variant(terminal))
    for said in (form.taken, terminal.taken.text):
        assert "Left out: the row of totals on line 4." in said


def test_a_standard_error_gives_the_deviation() -> None:
    form = imported(CASES / STANDARD_ERRORS, "spend", kind=MetricKind.MEAN)
    terminal = analysed(CASES / STANDARD_ERRORS, "mean")

    assert by_variant(form)["control"].variance == pytest.approx(0.11**2 * 5000)
    assert by_variant(form)["new"].variance == pytest.approx(0.12**2 * 5050)
    assert same(by_variant(form), by_variant(terminal))
    assert "deviation = `standard_error` × √n" in form.taken
    assert "deviation = `standard_error` × √n" in terminal.taken.text


def test_rows_of_customers_are_customers() -> None:
    with (CASES / UNITS).open() as file:
        rows = list(csv.DictReader(file))
    summed: dict[tuple[str, str], float] = {}
    for row in rows:
        unit = (row["variation"], row["customer_id"])
        summed[unit] = summed.get(unit, 0.0) + float(row["revenue"])
    form, terminal = imported(CASES / UNITS, "revenue", kind=MetricKind.MEAN), analysed(CASES / UNITS, "revenue")

    for name in ("control", "new"):
        values = [value for (variation, _), value in summed.items() if variation == name]
        found = by_variant(form)[name]
        assert found.count == 6
        assert found.mean == pytest.approx(np.mean(values))
        assert found.variance == pytest.approx(np.var(values, ddof=1))
    assert same(by_variant(form), by_variant(terminal))
    for said in (form.taken, terminal.taken.text):
        assert said.startswith("24 rows, 12 customers (`customer_id`)")
        assert "revenue = sum of `revenue`" in said


@pytest.mark.parametrize(
    ("read", "how"),
    [
        (lambda path: imported(path, "buying"), "Name the right one `n`, or leave the others out"),
        (
            lambda path: imported(path, "buying", columns=Chosen(flags=uploads.IMPORT_FLAGS)),
            "Say which: `--column n=visitors` or `--column n=total`",
        ),
        (lambda path: analysed(path, "conversions"), "Say which: `--count visitors` or `--count total`"),
    ],
    ids=["form", "import", "analyse"],
)
def test_two_that_could_be_units_are_asked_about(read: Callable[[Path], object], how: str) -> None:
    with pytest.raises((SourceError, Refusal)) as raised:
        read(CASES / TWO_CANDIDATES)

    said = refusals.text(raised.value) if isinstance(raised.value, Refusal) else str(raised.value)
    assert "`visitors` and `total` could both be the number of units" in said
    assert how in said


def test_who_says_which_column_is_taken_at_their_word() -> None:
    chosen = Chosen(by_role={"n": "visitors"}, flags=uploads.IMPORT_FLAGS)

    form = imported(CASES / TWO_CANDIDATES, "buying", columns=chosen)

    assert by_variant(form)["new"].mean == 131 / 1010
    assert same(by_variant(form), by_variant(analysed(CASES / TWO_CANDIDATES, "conversions", count="visitors")))


def rewritten(name: str, *, separator: str, encoding: str, seed: int | None, end: str) -> bytes:
    """Return a case with its rows in another order, the last one in its place if it sums up the others."""
    text = (CASES / name).read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in text else ",")
    total = [row for row in rows if row[0] == "Total"]
    rows = [row for row in rows if row not in total]
    if seed is not None:
        random.Random(seed).shuffle(rows)
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator=end).writerows([header, *rows, *total])
    return written.getvalue().encode(encoding)


@pytest.mark.parametrize("name", [SHARES, STANDARD_ERRORS, UNITS])
@pytest.mark.parametrize(
    ("separator", "encoding", "seed", "end"),
    [
        (",", "utf-8", 1, "\n"),
        (";", "utf-8-sig", 2, "\r\n"),
        ("\t", "utf-16", 3, "\n"),
        ("|", "cp1252", 4, "\r\n"),
        (";", "utf-16-le", 5, "\n"),
        (",", "latin-1", None, "\r"),
    ],
)
def test_order_separator_and_encoding_change_nothing(
    tmp_path: Path, name: str, separator: str, encoding: str, seed: int | None, end: str
) -> None:
    path = tmp_path / "again.csv"
    path.write_bytes(rewritten(name, separator=separator, encoding=encoding, seed=seed, end=end))
    kind = MetricKind.PROPORTION if name == SHARES else MetricKind.MEAN
    metric = {SHARES: "buyers", STANDARD_ERRORS: "mean", UNITS: "revenue"}[name]

    answers: Sequence[dict[str, Moments]] = [
        by_variant(found)
        for found in (
            imported(CASES / name, metric if name != STANDARD_ERRORS else "spend", kind=kind),
            imported(path, metric if name != STANDARD_ERRORS else "spend", kind=kind),
            analysed(path, metric),
        )
    ]

    assert all(same(answers[0], other) for other in answers[1:])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("€ 1.200,50", "(12,25)", "7,5 €", "0,5"), (1200.5, -12.25, 7.5, 0.5)),
        (("$1,200.50", "-$12.25", "($7.50)", "$0.5"), (1200.5, -12.25, -7.5, 0.5)),
        (("5 %", "7.5%", "0.5 %", "12%"), (0.05, 0.075, 0.005, 0.12)),
        (("1 200,5", "−12", "7", "1'000,25"), (1200.5, -12, 7, 1000.25)),
        (("USD 5", "USD 6", "7 USD", "8"), (5, 6, 7, 8)),
    ],
)
def test_signs_around_numbers_of_units_are_understood(
    tmp_path: Path, cells: Sequence[str], expected: Sequence[float]
) -> None:
    path = tmp_path / "units.csv"
    arms = ("control", "control", "new", "new")
    path.write_text("variant\trevenue\n" + "".join(f"{arm}\t{cell}\n" for arm, cell in zip(arms, cells, strict=True)))

    form = imported(path, "revenue", kind=MetricKind.MEAN)

    assert by_variant(form)["control"].mean == pytest.approx(np.mean(expected[:2]))
    assert by_variant(form)["new"].mean == pytest.approx(np.mean(expected[2:]))
    assert "4 rows, each taken as one unit" in form.taken


@pytest.mark.parametrize("values", [("1.234", "1.500"), ("1,234", "1,500")])
def test_a_number_that_can_be_read_two_ways_is_refused(tmp_path: Path, values: Sequence[str]) -> None:
    path = tmp_path / "units.csv"
    path.write_text(f"variant;revenue\ncontrol;{values[0]}\nnew;{values[1]}\n")

    with pytest.raises(Refusal) as raised:
        imported(path, "revenue", kind=MetricKind.MEAN)

    assert "on line 2 can be read as thousands or as decimals. Write 1234" in refusals.text(raised.value)


def test_columns_have_styles_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("variant;clicks;views\ncontrol;1,5;2.25\ncontrol;2,5;2.5\nnew;1;2\nnew;2,25;3\n")
    ratio = MetricColumns(value="clicks", denominator="views")

    ((_, moments),) = read_asked(path, metrics=[ratio]).metrics

    joint = moments["control"].joint
    assert joint is not None
    assert (moments["control"].mean, joint.means[0]) == (2, 2.375)


def test_a_row_of_totals_below_units_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("user_id,variant,revenue\n1,control,5\n2,control,6\n3,new,7\n4,new,9\nGrand Total,,27\n")

    form, terminal = imported(path, "revenue", kind=MetricKind.MEAN), analysed(path, "revenue")

    assert {name: one.count for name, one in by_variant(form).items()} == {"control": 2, "new": 2}
    assert same(by_variant(form), by_variant(terminal))
    assert "Left out: the row of totals on line 6." in form.taken


def test_capitals_of_a_variant_do_not_make_another_one_and_are_said(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("user_id,variant,revenue\n1,Control,5\n2, control ,6\n3,new,7\n4,new,9\n")

    form = imported(path, "revenue", kind=MetricKind.MEAN)

    assert by_variant(form)["control"].count == 2
    assert "“Control” is one variant however it is capitalised." in form.taken
