"""Needs: noted where they were found, ranked by how many hypotheses miss the same."""

from journeys.playing import Play, read


def test_a_need_is_noted_with_its_words_prefilled_and_told_in_the_thread(play: Play) -> None:
    play.files(play.ana)

    play.types(play.ana, "/experiment need A log of what was on the screen")
    play.submits(play.ana)

    assert "noted a need: A log of what was on the screen" in play.thread()[-1]
    assert "1 need" in read(play.card())


def test_needs_are_ranked_by_how_many_hypotheses_miss_them(play: Play) -> None:
    for change in ("Show fresh offers first", "Show cheap offers first"):
        play.files(play.ana, change)
    for subject, need in (("H-1", "Feature flags"), ("H-1", "A log of views"), ("H-2", "a log of views.")):
        play.types(play.ana, f"/experiment need {need}")
        play.submits(play.ana, found_in=subject)

    listed = play.asks(play.ana, "/experiment need")

    assert "1. A log of views: H-1, H-2" in listed
    assert "2. Feature flags: H-1" in listed


def test_without_needs_the_list_says_what_one_is(play: Play) -> None:
    assert "What did you miss" in play.asks(play.ana, "/experiment need")


def test_without_an_open_hypothesis_a_need_has_no_home(play: Play) -> None:
    assert "File one first" in play.asks(play.ana, "/experiment need Feature flags")


def test_after_hypothesis_the_words_are_the_text_of_one(play: Play) -> None:
    view = play.types(play.ana, "/hypothesis need a bigger basket")

    assert (view or {})["callback_id"] == "file"
