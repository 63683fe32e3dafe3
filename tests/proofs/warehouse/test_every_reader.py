"""A file gives one answer however it is written, to `analyse`, to the form and `import`, and as a table of a source."""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pytest

from builders import a_goal, a_typed_plan
from labcoat.domain.plan import Variant
from labcoat.domain.refusal import Refusal
from labcoat.stats.rule import MetricKind, Moments
from labcoat.usecases.experiments import uploads
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files.asked import MetricColumns, read_asked
from labcoat.warehouse.reading import MetricQuestion, Question
from labcoat.words import refusals

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ARMS = ("größe", "b")
UNITS = 800
HEADER = ("user_id", "variant", "revenue", "country")

Row = tuple[str, str, float, str]


def rows() -> list[Row]:
    """Return users that are told by leading zeros alone, with what they spent; no country may be taken for a no."""
    chance = random.Random(18)
    return [
        (f"{n:06}", ARMS[n % 2], round(chance.paretovariate(1.2) * 100, 2), chance.choice(["NO", "DE", "FR"]))
        for n in range(1, UNITS + 1)
    ]


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a table of text is written. number: a value as a cell. above, below: lines around it."""

    separator: str = ","
    encoding: str = "utf-8"
    end: str = "\n"
    number: Callable[[float], str] = "{:.2f}".format
    above: str = ""
    below: Sequence[Sequence[str]] = ()
    is_shuffled: bool = False
    is_quoted: bool = False
    trailing: int = 0

    def text(self, table: Sequence[Row]) -> bytes:
        table = random.Random(7).sample(list(table), len(table)) if self.is_shuffled else table
        cells = [
            [unit, arm, self.number(value) if arm or value else "", country] for unit, arm, value, country in table
        ]
        out = io.StringIO()
        writer = csv.writer(
            out,
            delimiter=self.separator,
            lineterminator=self.end,
            quoting=csv.QUOTE_ALL if self.is_quoted else csv.QUOTE_MINIMAL,
        )
        writer.writerows([*row, *[""] * self.trailing] for row in [HEADER, *cells, *self.below])
        return (self.above + out.getvalue()).encode(self.encoding)


def german(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


WRITINGS: Mapping[str, Writing] = {
    "plain": Writing(),
    "shuffled, all quoted": Writing(is_shuffled=True, is_quoted=True),
    "semicolons, decimal commas, windows": Writing(separator=";", number=german, encoding="cp1252", end="\r\n"),
    "semicolons, decimal points, a mark": Writing(separator=";", encoding="utf-8-sig"),
    "tabs, UTF-16, grouped thousands": Writing(separator="\t", number="{:,.2f}".format, encoding="utf-16"),
    "pipes, dollars": Writing(separator="|", number="${:,.2f}".format),
    "commas, euros in quotes": Writing(number=lambda value: f"{german(value)} €"),
    "a title and totals": Writing(
        above="Revenue of November\n\n", below=[("Total", "", "1234567.00", "")], trailing=2, is_shuffled=True
    ),
    "blank rows below": Writing(separator=";", below=[("", "", "", "")] * 3, trailing=1),
    "some rows that lack something": Writing(
        below=[("900001", "", "5000.00", "DE"), ("900002", " ", "7.00", "DE"), ("", "b", "900.00", "FR")]
    ),
}


def sheet(table: Sequence[Row], path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["Revenue of November"])
    page.append([])
    page.append(list(HEADER))
    for row in table:
        page.append(list(row))
    page.append(["Total", None, 1234567.0])
    book.save(path)


def parquet(table: Sequence[Row], path: Path, *, type_: str) -> None:
    values = ", ".join(
        f"('{unit}', '{arm}', CAST({value} AS {type_}), '{country}')" for unit, arm, value, country in table
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM (VALUES {values}) AS t({', '.join(HEADER)})) TO '{path}' (FORMAT parquet)"
        )


def given(folder: Path, name: str) -> Path:
    """Return the table in a file of that kind."""
    if name == "a workbook":
        sheet(rows(), path := folder / "given.xlsx")
    elif name.startswith("Parquet"):
        parquet(rows(), path := folder / "given.parquet", type_=name.removeprefix("Parquet of "))
    else:
        (path := folder / "given.csv").write_bytes(WRITINGS[name].text(rows()))
    return path


def by_analyse(path: Path) -> Mapping[str, Moments]:
    ((_, moments),) = read_asked(path, metrics=[MetricColumns(value="revenue")]).metrics
    return moments


def by_form(path: Path) -> Mapping[str, Moments]:
    goal = a_goal("revenue", kind=MetricKind.MEAN)
    plan = replace(a_typed_plan(goal), variants=tuple(Variant(name=name, weight=0.5) for name in ARMS))
    return uploads.read_file(path, plan, goal, name=path.name, field="file").totals["revenue"]


def by_source(path: Path) -> Mapping[str, Moments]:
    described = path.with_name("metrics.yml")
    described.write_text(
        f"sources:\n  shop: {{engine: duckdb, tables: {{users: {path.name}}}}}\n"
        "exposures:\n  users: {source: shop, table: users, unit: user_id}\n"
        "metrics:\n  revenue: {kind: mean, direction: up, value: revenue}\n"
    )
    metrics = metrics_file.load(described)
    asked = MetricQuestion(name="revenue", measuring=reading.measuring_of(metrics.metrics["revenue"]))
    question = Question(
        key="E-7", goal="revenue", metrics=(asked,), variants=ARMS, since=NOW - timedelta(days=9), until=NOW
    )
    return dict(zip(ARMS, reading.read(metrics, question).sample.moments["revenue"], strict=True))


READERS: Mapping[str, Callable[[Path], Mapping[str, Moments]]] = {
    "analyse": by_analyse,
    "form": by_form,
    "source": by_source,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", [*WRITINGS, "a workbook", "Parquet of DECIMAL(12, 2)", "Parquet of VARCHAR"])
def test_every_reader_gives_what_numpy_computes(tmp_path: Path, name: str, reader: str) -> None:
    found = READERS[reader](given(tmp_path, name))

    assert set(found) == set(ARMS)
    for arm in ARMS:
        values = np.array([value for _, one, value, _ in rows() if one == arm])
        assert found[arm].count == len(values) == UNITS / 2
        assert found[arm].mean == pytest.approx(values.mean(), rel=1e-9)
        assert found[arm].variance == pytest.approx(values.var(ddof=1), rel=1e-9)


TOTALS_OF = {
    "days": ("day", "2026-11-01", "2026-11-02"),
    "segments": ("country", "DE", "FR"),
    "metrics": ("metric", "revenue", "orders"),
}


@pytest.mark.parametrize("days", [1, 20], ids=["few rows", "more rows than variants"])
@pytest.mark.parametrize("reader", ["analyse", "form"])
@pytest.mark.parametrize("what", TOTALS_OF)
def test_totals_in_several_rows_of_a_variant_are_no_units(tmp_path: Path, what: str, reader: str, days: int) -> None:
    name, *parts = TOTALS_OF[what]
    lines = [f"{part},{arm},{1000 + n},{n},2.5" for n in range(days) for part in parts for arm in ARMS]
    (tmp_path / "totals.csv").write_text(f"{name},variant,users,revenue,revenue sd\n" + "\n".join(lines) + "\n")

    with pytest.raises((SourceError, Refusal)) as raised:
        READERS[reader](tmp_path / "totals.csv")

    said = refusals.text(raised.value) if isinstance(raised.value, Refusal) else str(raised.value)
    assert "rite one row per variant: add up its days or segments, and leave other metrics out" in said
