"""What a read of the user's data may end with, in words the person who can mend it understands."""


class SourceError(Exception):
    """The data could not be read, or what was read cannot be trusted.

    message: plain words, one or two sentences; of paths only the file's name.
    permanent: True if asking again is in vain until a person changes the data, the SQL or the plan.
    field: of the metrics file that it is about, "" if none alone is.
    """

    def __init__(self, message: str, permanent: bool, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.field = field

    def of_file(self, name: str) -> "SourceError":
        """Return the same said of a file; as it is where it names the file already."""
        if name in self.message:
            return self
        return SourceError(f"{name}: {after_colon(self.message)}", self.permanent, field=self.field)


class NoRowsYetError(SourceError):  # it says what is, and nothing is wrong
    """The metric's SQL works and gave no unit of this experiment."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


def after_colon(sentence: str) -> str:
    """Return a sentence that goes on after a colon.

    >>> after_colon("Line 3 has 4 values.")
    'line 3 has 4 values.'
    """
    return sentence[0].lower() + sentence[1:]


def some(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> some(1200, "unit")
    '1,200 units'
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
