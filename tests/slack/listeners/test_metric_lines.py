"""A metric in a line: read as people write it, and written so that it is read the same again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_dossier, a_goal, a_guardrail, a_plan, an_experiment
from labcoat.domain.amounts import Amount
from labcoat.domain.plan import PlannedMetric
from labcoat.slack.listeners import metric_lines
from labcoat.slack.listeners.metric_lines import MetricLine
from labcoat.slack.views import plan_texts
from labcoat.stats.rule import Direction, MetricKind, Role


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("refunds down", MetricLine(name="refunds", direction=Direction.DOWN)),
        ("refunds", MetricLine(name="refunds")),
        ("refunds down margin 1 point", MetricLine(name="refunds", direction=Direction.DOWN, margin="1 point")),
        (
            "refund rate down, margin 0.2 points, today 2 %",
            MetricLine(name="refund rate", direction=Direction.DOWN, margin="0.2 points", today="2 %"),
        ),
        (
            "Mean latency down; SD 80, Today 230; Margin 0,5",
            MetricLine(
                name="latency",
                is_mean=True,
                direction=Direction.DOWN,
                margin="0,5",
                today="230",
                deviation="80",
            ),
        ),
        ("secondary orders today up", MetricLine(name="orders today", is_secondary=True, direction=Direction.UP)),
        ("refunds down, margin lots", MetricLine(name="refunds", direction=Direction.DOWN, margin="lots")),
    ],
)
def test_a_line_says_what_was_written(text: str, line: MetricLine) -> None:
    assert metric_lines.read(f"\n{text}\n") == (line,)


sizes = st.sampled_from([0.002, 0.01, 0.125])
others = st.builds(
    replace,
    st.just(a_guardrail("refund rate")),
    role=st.sampled_from([Role.GUARDRAIL, Role.SECONDARY]),
    kind=st.sampled_from([MetricKind.PROPORTION, MetricKind.MEAN]),
    direction=st.sampled_from(Direction),
    margin=st.none() | st.builds(Amount, size=sizes, is_relative=st.booleans()),
    baseline=st.none() | sizes,
    deviation=st.none() | sizes,
)


@given(other=others)
def test_property_what_a_draft_says_is_read_back(other: PlannedMetric) -> None:
    dossier = a_dossier(an_experiment(plan=a_plan(a_goal(), other)))

    (line,) = metric_lines.read(plan_texts.texts_of(dossier, metrics=())["guardrails"])

    assert (line.name, line.direction) == (other.name, other.direction)
    assert (line.is_secondary, line.is_mean) == (other.role is Role.SECONDARY, other.kind is MetricKind.MEAN)
    assert (line.margin == "", line.today == "", line.deviation == "") == (
        other.margin is None,
        other.baseline is None,
        other.deviation is None,
    )
