"""What is said when numbers can't be read, with or without a good look to fall back on."""

from builders import E7, a_readout
from labcoat.stats.results import Verdict
from labcoat.words import health

WHY = "The file is not there."


def test_the_last_good_look_stays_where_there_is_one() -> None:
    assert health.no_numbers(E7, WHY, readout=a_readout()) == (
        "E-7: no numbers. The file is not there. The last good look stays, and I try again by myself."
    )


def test_nothing_stays_without_a_good_look() -> None:
    for readout in (None, a_readout(Verdict.DATA_ERROR)):
        assert health.what_stays(readout) == ""
        assert health.no_numbers(E7, WHY, readout=readout) == (
            "E-7: no numbers. The file is not there. I try again by myself."
        )
