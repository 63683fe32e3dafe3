"""`labcoat analyse`, as a shell sees it: a file in, the words of every readout out."""

import json
from pathlib import Path

import pytest

from labcoat.cli import app as cli

TOTALS = "arm,users,buyers,spent,spent_sd\nnew,24100,1410,5.2,21\ncontrol,24000,1200,5.1,20\n"


@pytest.fixture
def totals(tmp_path: Path) -> str:
    path = tmp_path / "totals.csv"
    path.write_text(TOTALS, encoding="utf-8")
    return str(path)


def _rows(folder: Path) -> str:
    # Clicks and views per user, and the same before; b clicks more.
    lines = ["user,arm,clicks,views,clicks_before,views_before"]
    for user in range(400):
        arm, views, before = "ab"[user % 2], 5 + user % 7, 4 + user % 5
        clicks = (user * 7 % 4) + (user % 3 == 0) * (arm == "b")
        lines.append(f"{user},{arm},{clicks},{views},{user * 7 % 4},{before}")
    path = folder / "rows.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def _analyse(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.main(["analyse", *arguments]) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def test_totals_say_verdict_why_effects_and_what_they_rest_on(capsys: pytest.CaptureFixture[str], totals: str) -> None:
    shown = _analyse(capsys, totals, "--variant", "arm", "--count", "users", "--metric", "buyers")

    # Newcombe and Welch apart, by hand: 5.851 % - 5 % = 0.851 points, 1.96 x 0.2068 = 0.405.
    assert shown.splitlines()[:2] == [
        "Win: +17.0 % buyers (8.6 to 26.2)",
        "buyers: the whole interval is on the good side.",
    ]
    assert "+0.85 points (0.45 to 1.26); 5.00 % to 5.85 %, n 24,000 / 24,100" in shown
    assert "Units: control 24,000 / new 24,100" in shown
    assert "Control: `control` (matched by name). 2 rows, one per variant, units in `users`." in shown


def test_a_ratio_with_its_past_and_the_unit_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    metric = "clicks/views~clicks_before/views_before"

    shown = _analyse(capsys, _rows(tmp_path), "--variant", "arm", "--unit", "user", "--metric", metric)

    assert "clicks/views (goal): +" in shown
    assert "the covariate takes away" in shown
    assert "Control: `a` (matched by name). 400 rows, 400 users (`user`)." in shown


def test_json_is_the_readout_that_looks_store(capsys: pytest.CaptureFixture[str], totals: str) -> None:
    shown = json.loads(_analyse(capsys, totals, "--variant", "arm", "--count", "users", "--metric", "buyers", "--json"))

    assert shown["verdict"] == "win"
    assert shown["estimates"][0]["difference"] == pytest.approx(0.0085062, abs=1e-6)
    assert shown["reasons"][0]["finding"] == "interval on the good side"


def test_roles_directions_sizes_and_control(capsys: pytest.CaptureFixture[str], totals: str) -> None:
    arguments = [totals, "--variant", "arm", "--count", "users", "--metric", "buyers", "--guardrail", "spent,spent_sd"]

    worse = _analyse(capsys, *arguments, "--down", "buyers")
    turned = _analyse(capsys, *arguments, "--control", "NEW")
    meant = _analyse(capsys, *arguments, "--minimum-effect", "buyers=5%", "--margin", "spent=2")

    assert worse.startswith("The goal got worse")
    assert turned.startswith("The goal got worse")
    assert "Control: `new`. " in turned
    assert "above the smallest effect worth having" in meant


def test_sizes_in_percent_of_a_ratio_are_of_the_ratio(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Clicks per view fall from 101/1005 to 82/1005: -18.8 %. The margin is 5 % of .1005, not of 101 clicks."""
    rows = ["user,arm,clicks,views"]
    for arm, clicks in (("control", 100), ("new", 81)):
        rows += [f"{arm}{n},{arm},{clicks + n % 3},{1000 + 10 * (n % 2)}" for n in range(400)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(rows) + "\n")

    shown = _analyse(
        capsys, str(path), "--variant", "arm", "--unit", "user", "--metric", "views", "--guardrail", "clicks/views",
        "--margin", "clicks/views=5%",
    )  # fmt: skip

    assert shown.startswith("Harm on a guardrail: -18.8")
    assert ", margin 0.0050" in shown
    assert ": harmed; " in shown


def test_widths_in_standard_errors_are_details(capsys: pytest.CaptureFixture[str], totals: str) -> None:
    arguments = [totals, "--variant", "arm", "--count", "users", "--metric", "buyers"]

    assert "standard errors" not in _analyse(capsys, *arguments)
    assert "standard errors to each side: goal 1.96." in _analyse(capsys, *arguments, "--details")


def test_views_beside_the_verdict(capsys: pytest.CaptureFixture[str], totals: str) -> None:
    arguments = [totals, "--variant", "arm", "--count", "users", "--metric", "buyers", "--secondary", "spent,spent_sd"]

    shown = _analyse(capsys, *arguments, "--adjust", "holm", "--bayes", "0.1")
    again = _analyse(capsys, *arguments, "--design", "confidence-sequence", "--adjust", "ebh")

    assert "buyers: a discovery, adjusted p below 0.0001" in shown
    assert "spent: no discovery" in shown
    assert "never a decision under peeking" in shown
    assert "buyers: treatment is higher with chance 1.000" in shown
    assert "come back with a newer file" in again
    assert "spent: no discovery" in again


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--metric", "buyer"], "There is no column buyer; the nearest is buyers."),
        ([], "at least one --metric"),
        (["--metric", "buyers", "--guardrail", "buyers"], "named twice"),
        (["--metric", "buyers", "--control", "old"], "There is no variant old. arm has: control, new."),
        (["--metric", "buyers", "--weights", "control=0.5,new=0.6"], "add up to 1.1"),
        (["--metric", "buyers", "--weights", "control=1"], "one share for each of control, new"),
        (["--metric", "buyers", "--weights", "control"], "Write NAME=VALUE"),
        (["--metric", "buyers", "--weights", "control=half,new=half"], "half is not a number"),
        (["--metric", "buyers", "--down", "orders"], "orders is none of the metrics"),
        (["--metric", "buyers", "--margin", "buyers=1%"], "buyers is none of the metrics"),
        (["--metric", "buyers", "--minimum-effect", "buyers=lots"], "can't be read as an effect"),
        (["--metric", "buyers", "--alpha", "5"], "--alpha is between 0 and 0.5"),
        (["--metric", "buyers", "--bayes", "0"], "above 0"),
        (["--metric", "buyers", "--bayes", "inf"], "above 0"),
        (["--metric", ""], "is no metric"),
        (["--metric", "spent,"], "is no metric"),
        (["--metric", "buyers", "--adjust", "ebh"], "goes with --design confidence-sequence"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], totals: str, more: list[str], words: str
) -> None:
    said = _analyse(capsys, totals, "--variant", "arm", "--count", "users", *more, code=1)

    assert words in said
    assert said.count("\n") == 1


def test_the_covariate_of_a_ratio_is_a_ratio(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = _analyse(capsys, _rows(tmp_path), "--variant", "arm", "--metric", "clicks/views~clicks_before", code=1)

    assert "the covariate of a ratio is a ratio" in said
