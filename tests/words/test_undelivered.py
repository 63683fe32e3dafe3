"""What could not be delivered is told in words, whatever it is and whatever Slack said."""

import pytest

from labcoat.domain.notice import NoticeKind
from labcoat.words import undelivered


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_has_a_name(kind: NoticeKind) -> None:
    assert undelivered.what(kind)


def test_the_reason_says_what_mends_it() -> None:
    assert undelivered.why("is_archived") == "The channel is archived: unarchive it."


def test_a_word_of_slack_that_is_new_to_us_is_told_as_it_is() -> None:
    assert undelivered.why("fatal_error") == "Slack did not take it (fatal_error)."
