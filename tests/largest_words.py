"""The longest texts and largest numbers that messages are made of."""

from builders import E7, NOW
from labcoat.domain.counting import UnitCounts
from labcoat.domain.look import SourceProblem
from labcoat.domain.plan import MOST_METRICS, MOST_VARIANTS, ResultSource
from labcoat.slack.views.plan_looks import Looks
from labcoat.stats.results import SampleRatio
from labcoat.stats.rule import Design

NASTY = "<!channel> & *bold* `code` 🧪👩‍🔬 שלום مرحبا ‮ \n- > "


def text_of(length: int) -> str:
    """Return text of this length with everything in it that Slack or an escape could stumble over."""
    return (NASTY * (length // len(NASTY) + 1))[: length - 1] + "x"


NAMES = tuple(f"{text_of(57).replace(chr(10), ' ').strip()}{n:02}" for n in range(MOST_VARIANTS))
METRICS = tuple(f"{text_of(72).replace(chr(10), ' ').strip()}{n:02}" for n in range(MOST_METRICS))
UNITS = tuple(10**9 + n for n in range(MOST_VARIANTS))
PROBLEM = SourceProblem(message=text_of(3000), since=NOW)
_SHARES = (1 / MOST_VARIANTS,) * MOST_VARIANTS
_UNEVEN = SampleRatio(exposed=UNITS, weights=_SHARES, p_value=1e-9, log_bayes_factor=20.0, chi_square_p=1e-9)
COUNTS = UnitCounts(experiment=E7, as_of=NOW, exposed=UNITS, split=_UNEVEN)


def looks(*, can_have_window: bool) -> Looks:
    """What the plan form offers if every metric keeps growing."""
    return Looks(
        source=ResultSource.WAREHOUSE if can_have_window else ResultSource.TYPED,
        designs=(Design.CONFIDENCE_SEQUENCE, Design.ONE_LOOK),
        chosen=Design.ONE_LOOK,
        replaced=Design.GROUP_SEQUENTIAL,
        growing=METRICS,
        can_have_window=can_have_window,
        saving=text_of(3000),
    )
