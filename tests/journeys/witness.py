"""A witness reads every message of a story, in each of its versions, and finds what contradicts itself.

A win or a harm stands beside an interval that lies wholly on its side of 0 and holds its estimate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from journeys.playing import Play, read, told

_NUMBER = r"[+-]?[\d,]*\.?\d+"
_CALL = re.compile(
    r"(?P<call>\bwins\b|\bWin\b|\bharms\b|\bHarm on a guardrail\b|\bThe goal got worse\b|\bmakes [^\n]+? worse\b)"
    rf"(?P<between>(?:(?!\. |\bharms\b|\bwins\b)[^\n;(])*?)(?P<estimate>{_NUMBER}) ?(?:%|points)?[^\n;(%]*?"
    rf"\((?P<low>{_NUMBER}) to (?P<high>{_NUMBER})"
)
_NEVER = ("standard error", "..", "k =")
"""Words that no message needs; two full stops are a sentence that was ended twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A win or a harm as it was said. sign: of the side of 0 on which the interval must lie."""

    said: str
    sign: int
    estimate: float
    low: float
    high: float

    @property
    def is_supported(self) -> bool:
        """Whether the interval lies on its side of 0, and holds the estimate."""
        near, far = sorted((self.sign * self.low, self.sign * self.high))
        return near > 0 and near <= self.sign * self.estimate <= far


def calls(text: str, *, down_is_good: tuple[str, ...] = ()) -> Iterator[Call]:
    """Yield the wins and harms that a message says with an interval; goals go up. down_is_good: guardrails.

    >>> [one.is_supported for one in calls("Win: +12.68 % orders per user (-0.01 to 27.16)")]
    [False]
    >>> [one.is_supported for one in calls("big wins: +4.1 % orders per user (1.2 to 7.0)")]
    [True]
    """
    for found in _CALL.finditer(text):
        is_win = found["call"] in ("wins", "Win")
        is_down = any(name in found[0] for name in down_is_good)
        estimate, low, high = (float(found[name].replace(",", "")) for name in ("estimate", "low", "high"))
        yield Call(said=found[0], sign=1 if is_win or is_down else -1, estimate=estimate, low=low, high=high)


@dataclass(slots=True, kw_only=True)
class Witness:
    """Whoever reads along. heard: every version of every message so far."""

    play: Play
    down_is_good: tuple[str, ...] = ()
    heard: list[str] = field(default_factory=list)

    def reads(self) -> None:
        """Read what stands anywhere now; fail on what contradicts itself."""
        people = (self.play.ana, self.play.ben, self.play.lena, self.play.omar)
        private = [read(one) for person in people for one in self.play.private_messages(person)]
        for text in [*map(read, told(self.play.slack)), *private]:
            if text not in self.heard:
                self.heard.append(text)
                self._judge(text)

    def _judge(self, text: str) -> None:
        for one in calls(text, down_is_good=self.down_is_good):
            assert one.is_supported, f"{one.said!r} in:\n{text}"
        assert not [word for word in _NEVER if word in text], text
        about = [line for line in text.splitlines() if line.startswith((":white_check_mark:", ":warning:"))]
        is_valid = not any("Data error" in line or "Not valid" in line for line in about)
        assert is_valid or not any(True for _ in calls(text)), text

    def calls(self) -> list[Call]:
        """Return all wins and harms that were said."""
        return [one for text in self.heard for one in calls(text, down_is_good=self.down_is_good)]
