"""What was taken from a file, in words: how many rows, which columns, and what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was read. unit: the column that names units, None where there is none. columns: as "n = `users`".

    is_by_variant: a row a variant, else rows of units. left_out: parts of the file. notes: what else to know.
    """

    rows: int
    units: int
    unit: str | None
    is_by_variant: bool
    columns: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return it as people read it.

        >>> Taken(rows=6, units=4, unit="customer_id", is_by_variant=False, columns=("orders = sum of `amount`",)).text
        '6 rows, 4 customers (`customer_id`), orders = sum of `amount`.'
        """
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        if self.is_by_variant:
            first = [f"{rows}, one per variant"]
        elif self.unit is None:
            first = [rows, "each taken as one unit"]
        else:
            first = [rows, f"{self.units:,} {_noun(self.unit, self.units)} (`{self.unit[:40]}`)"]
        left_out = f" Left out: {_listed(self.left_out)}." if self.left_out else ""
        notes = "".join(f" {note[0].upper()}{note[1:]}." for note in self.notes)
        return f"{', '.join([*first, *self.columns])}.{left_out}{notes}"


def _noun(unit: str, count: int) -> str:
    """Return what units are called, from the name of their column.

    >>> [_noun(name, 2) for name in ("customer_id", "User ID", "id", "klant_nr")]
    ['customers', 'users', 'units', 'units']
    """
    word = unit.casefold().removesuffix("id").strip(" _-")
    if word not in ("user", "customer", "visitor", "session", "account", "player", "device", "subject", "member"):
        word = "unit"
    return word if count == 1 else f"{word}s"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
