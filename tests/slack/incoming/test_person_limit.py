"""One person's limit is generous, their own, and can be switched off."""

from labcoat.slack.incoming.person_limit import PersonLimit


def test_a_person_has_so_many_acts_a_minute() -> None:
    pace = PersonLimit(60)

    assert [pace.admits("U1") for _ in range(61)] == [True] * 60 + [False]


def test_another_person_s_acts_are_their_own() -> None:
    pace = PersonLimit(1)
    pace.admits("U1")

    assert pace.admits("U2")


def test_a_person_is_told_once_a_minute() -> None:
    pace = PersonLimit(1)

    assert [pace.is_to_be_told("U1") for _ in range(3)] == [True, False, False]


def test_without_a_limit_nobody_is_slowed() -> None:
    pace = PersonLimit(None)

    assert all(pace.admits("U1") for _ in range(1000))
