"""What a correction replaces, and which looks rested on it."""

from dataclasses import replace
from datetime import datetime

import pytest

from builders import DAY, E7, NOW, OTHER, a_goal, a_readout, a_typed_plan, an_experiment, events, refused
from labcoat.domain import correcting
from labcoat.domain.correcting import Correction, Sorted
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Entry, Look
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import MetricKind, Moments, Sample

ORDERS, REVENUE = "orders per user", "revenue per user"
RUNNING = an_experiment(
    ExperimentState.RUNNING, plan=a_typed_plan(a_goal(), a_goal(REVENUE, kind=MetricKind.MEAN, minimum_effect=None))
)


def _entry(*arms: Moments, day: float, metric: str = ORDERS, wrong_since: datetime | None = None) -> Entry:
    at = NOW + day * DAY
    return Entry(
        experiment=E7, metric=metric, as_of=at, sent_by=OTHER, sent_at=at, moments=arms, wrong_since=wrong_since
    )


def _orders(treated: int, *, of: int = 1000, day: float = 1) -> Entry:
    return _entry(events(100, of=1000), events(treated, of=of), day=day)


def _sorted(sent: Entry, *stored: Entry, corrects: bool = False, since: float | None = None) -> Sorted:
    wrong_since = None if since is None else NOW + since * DAY
    by_metric = {sent.metric: stored}
    return correcting.sort_out(RUNNING, [sent], by_metric, is_correction=corrects, wrong_since=wrong_since)


def _look(sample: dict[str, tuple[Moments, ...]], *, as_of: float, made: float | None = None) -> Look:
    made_at = NOW + (as_of if made is None else made) * DAY
    return Look(
        experiment=E7,
        slot=made_at,
        as_of=NOW + as_of * DAY,
        made_at=made_at,
        sample=Sample(exposed=(1000, 1000), moments=sample),
        readout=a_readout(),
    )


def _correction(new: Entry, *stored: Entry, since: float | None = None) -> Correction:
    (one,) = _sorted(new, *stored, corrects=True, since=since).corrections
    return one


@pytest.mark.parametrize(("treated", "of"), [(109, 1000), (110, 999), (120, 999)])
def test_counts_that_fall_are_declared(treated: int, of: int) -> None:
    with refused(Reason.SMALLER_THAN_BEFORE, "correct", experiment=E7, metric=ORDERS):
        _sorted(_orders(treated, of=of, day=2), _orders(110))


def test_counts_that_grow_at_a_later_moment_are_new() -> None:
    sent = _orders(111, day=2)

    assert _sorted(sent, _orders(110)) == Sorted(plain=(sent,), corrections=())


@pytest.mark.parametrize("day", [1, 0.5])
def test_other_counts_of_the_same_or_an_earlier_moment_are_declared(day: float) -> None:
    with refused(Reason.OTHERS_ALREADY_STORED, "correct", before="control 100/1,000; treatment 110/1,000"):
        _sorted(_orders(111, day=day), _orders(110))


@pytest.mark.parametrize("day", [1, 0.5])
@pytest.mark.parametrize("corrects", [False, True])
def test_the_same_of_the_same_or_an_earlier_moment_is_no_news(day: float, corrects: bool) -> None:
    assert _sorted(_orders(110, day=day), _orders(110), corrects=corrects).entries == ()


def test_the_same_of_a_later_moment_is_new_and_corrects_nothing() -> None:
    sent = _orders(110, day=2)

    assert _sorted(sent, _orders(110), corrects=True) == Sorted(plain=(sent,), corrections=())


def test_what_nothing_came_before_corrects_nothing() -> None:
    sent = _orders(110)

    assert _sorted(sent, corrects=True) == Sorted(plain=(sent,), corrections=())


def test_a_mean_may_fall() -> None:
    def revenue(mean: float, *, of: int = 1000, day: float) -> Entry:
        arm = Moments(count=of, mean=mean, variance=900)
        return _entry(arm, arm, day=day, metric=REVENUE)

    assert _sorted(revenue(11, day=2), revenue(12, day=1)).corrections == ()
    with refused(Reason.SMALLER_THAN_BEFORE, "correct", before="control 1,000, treatment 1,000"):
        _sorted(revenue(12, of=999, day=2), revenue(12, day=1))
    before = "control n 1,000, mean 12, sd 30; treatment n 1,000, mean 12, sd 30"  # 30 is the root of 900
    with refused(Reason.OTHERS_ALREADY_STORED, "correct", before=before):
        _sorted(revenue(11, day=1), revenue(12, day=1))


@pytest.mark.parametrize(("since", "expected"), [(None, 3), (2.5, 3), (2, 2), (1.5, 2), (-9, 1), (9, 3)])
def test_since_when_it_was_wrong(since: float | None, expected: float) -> None:
    stored = [_orders(110 + day, day=day) for day in (1, 2, 3)]

    one = _correction(_orders(105, day=4), *stored, since=since)

    assert one.first.as_of == NOW + expected * DAY
    assert one.newest.as_of == NOW + 3 * DAY
    assert one.new.wrong_since == NOW + min(3, since if since is not None else 3) * DAY


def test_a_correction_as_of_an_earlier_moment_reaches_back_to_it() -> None:
    one = _correction(_orders(105, day=1.5), _orders(110, day=1), _orders(120, day=2))

    assert one.new.wrong_since == NOW + 1.5 * DAY
    assert one.first.as_of == NOW + 2 * DAY


def test_what_a_correction_replaced_stands_no_more() -> None:
    first, second, third = (_orders(110 + day, day=day) for day in (1, 2, 3))
    true = replace(_orders(105, day=4), wrong_since=NOW + 1.5 * DAY)

    assert correcting.standing([first, second, third, true]) == (first, true)
    assert correcting.standing([third, first]) == (first,)  # of an earlier version, which did not say since when


def test_looks_that_used_what_was_wrong_rest_on_it() -> None:
    old = _orders(135, day=2)
    one = _correction(_orders(105, day=3), _orders(90, day=1), old)
    right, wrong = events(100, of=1000), events(135, of=1000)

    assert correcting.rests_on(_look({ORDERS: (right, wrong)}, as_of=2), one)
    assert correcting.rests_on(_look({ORDERS: (right, wrong)}, as_of=0.5, made=2), one)  # another metric's came late
    assert correcting.rests_on(_look({ORDERS: (right, events(106, of=1000))}, as_of=1), one)  # more than in truth
    assert correcting.rests_on(_look({ORDERS: (events(50, of=1001), events(50, of=1000))}, as_of=1), one)
    assert not correcting.rests_on(_look({ORDERS: (right, events(90, of=1000))}, as_of=1), one)
    assert not correcting.rests_on(_look({"refunds": (right, wrong)}, as_of=2), one)


def test_a_look_with_a_larger_mean_does_not_rest_on_a_smaller_one() -> None:
    def arm(mean: float) -> Moments:
        return Moments(count=1000, mean=mean, variance=900)

    old = _entry(arm(12), arm(15), day=2, metric=REVENUE)
    one = _correction(_entry(arm(12), arm(11), day=2, metric=REVENUE), old)

    assert not correcting.rests_on(_look({REVENUE: (arm(12), arm(14))}, as_of=1), one)
    assert correcting.rests_on(_look({REVENUE: (arm(12), arm(15))}, as_of=2), one)


def test_what_asks_to_correct() -> None:
    for reason, step, asks in (
        (Reason.SMALLER_THAN_BEFORE, None, True),
        (Reason.OTHERS_ALREADY_STORED, None, True),
        (Reason.CLOSED, "record", True),
        (Reason.WRONG_STAGE, "record", True),
        (Reason.CLOSED, "edit", False),
        (Reason.WRONG_STATE, "record", False),
    ):
        assert correcting.asks_to_correct(Refusal(reason, None, step=step)) is asks
