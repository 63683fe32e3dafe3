"""What a command or a button is about: H-12 or E-7."""

import re
from dataclasses import dataclass

from labcoat.domain.ids import ExperimentNumber, HypothesisNumber

_SUBJECT = re.compile(r"^(?P<kind>[he])[-–]?(?P<number>\d{1,9})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Exactly one of the two is set."""

    hypothesis: HypothesisNumber | None = None
    experiment: ExperimentNumber | None = None

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"H-{self.hypothesis}" if self.hypothesis is not None else f"E-{self.experiment}"


def find_subject(word: str) -> Subject | None:
    """Return the subject that a word names, in any case and with or without the dash; None for any other word.

    >>> str(find_subject("h12")), str(find_subject("E-7")), find_subject("12")
    ('H-12', 'E-7', None)
    """
    match = _SUBJECT.match(word.strip())
    if match is None:
        return None
    number = int(match["number"])
    if match["kind"] in "hH":
        return Subject(hypothesis=HypothesisNumber(number))
    return Subject(experiment=ExperimentNumber(number))
