"""A token's pace: so many in any minute."""

from labcoat.api.token_limit import TokenLimit


def test_within_the_pace_nobody_waits_and_over_it_until_the_first_is_a_minute_old() -> None:
    pace = TokenLimit(3)

    assert [pace.wait_seconds("a") for _ in range(3)] == [0, 0, 0]
    assert 1 <= pace.wait_seconds("a") <= 60


def test_each_token_has_a_pace_of_its_own() -> None:
    pace = TokenLimit(1)
    pace.wait_seconds("a")

    assert pace.wait_seconds("b") == 0
    assert pace.wait_seconds("a") > 0
