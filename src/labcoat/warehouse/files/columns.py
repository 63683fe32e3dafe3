"""Which column of a file has which role: by documented names, and never guessed between two."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from labcoat.warehouse.files.decode import refuse

NAMES: Mapping[str, tuple[str, ...]] = {
    "variant": (
        "variant", "variation", "arm", "group", "group name", "group id", "variant name", "variation name",
        "variant id", "variation id", "variation key", "experiment group", "experiment variation", "test group",
        "treatment group", "bucket", "version", "name", "key",
    ),
    "n": (
        "n", "units", "users", "visitors", "exposures", "exposure count", "absolute exposure", "subjects",
        "num subjects", "assignments", "assigned users", "participants", "customers", "players", "accounts",
        "sample size", "unit count", "num units", "total units", "total users", "user count", "num users",
        "count", "total",
    ),
    "successes": (
        "successes", "success", "success count", "conversions", "conversion count", "num conversions", "converted",
        "converted users", "converters", "buyers", "events", "event count", "orders",
    ),
    "rate": ("rate", "conversion rate", "cr", "cvr", "share", "proportion"),
    "mean": ("mean", "average", "avg", "metric mean", "mean value"),
    "sd": ("sd", "std", "stddev", "std dev", "st dev", "standard deviation", "deviation"),
    "se": ("se", "sem", "stderr", "std err", "std error", "standard error"),
    "variance": ("variance", "var"),
    "sum": ("sum", "main sum", "numerator", "numerator sum", "numerator total", "total value"),
    "sum_squares": ("sum squares", "sum of squares", "sum sq", "sumsq", "main sum squares", "numerator sum squares"),
    "unit": (
        "unit", "unit id", "user", "user id", "userid", "id", "session", "session id", "visitor", "visitor id",
        "customer", "customer id", "subject", "subject id",
    ),
}  # fmt: skip
"""The first name of a role is the one that the docs ask for, and decides by itself. Among the others are those of
exports from GrowthBook, Statsig, Eppo and PostHog.
"""
_SEVERAL_A_UNIT = ("events", "event count", "orders")
"""Names of counts of which a unit may have several, so that they are no successes unless somebody says so."""
_NO_UNITS = ("experiment id", "variant id", "variation id", "group id", "test id", "metric id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What somebody said about columns.

    by_role: a column's name for a role. flags: what to write on the command line for a role, before the column's name;
    empty where there is no command line.
    """

    by_role: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)


def key(name: str) -> str:
    """Return a column's name as it is compared: capitals, `_`, `-`, and a percent sign do not matter.

    >>> key(" Conversion_Rate (%)")
    'conversion rate'
    """
    return " ".join(re.split(r"[\s_-]+", re.sub(r"\(?%\)?", " ", name).strip().casefold())).strip()


def is_percent(name: str) -> bool:
    """Whether a column says in its name that its numbers are percent."""
    return "%" in name or bool({"percent", "pct"} & set(key(name).split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of a table. taken: places that are something else, as a metric's own. unit: as the plan calls it."""

    names: Sequence[str]
    chosen: Chosen
    taken: Collection[int] = ()
    unit: str = ""

    def named(self, name: str) -> int | None:
        """Return the column of this name; raise SourceError if it is there twice."""
        found = [place for place, one in enumerate(self.names) if key(one) == key(name)]
        if len(found) > 1:
            refuse(f"The column {self.names[found[0]][:60]} is there twice. Leave one out")
        return found[0] if found else None

    def get(self, name: str) -> int:
        """Return the column that somebody named; raise SourceError with the nearest if there is none."""
        exact = [place for place, one in enumerate(self.names) if one == name.strip()]
        place = exact[0] if len(exact) == 1 else self.named(name)
        if place is None:
            refuse(f"There is no column {name[:60]}{self.nearest(name)}")
        return place

    def find(self, role: str) -> int | None:
        """Return the column of a role; raise SourceError if two fit, or if one fits that may mean something else."""
        if role in self.chosen.by_role:
            return self.get(self.chosen.by_role[role])
        planned = (self.unit, f"{self.unit} id") if role == "unit" and self.unit else ()
        for name in (*planned, NAMES[role][0]):
            if (place := self.named(name)) is not None:
                return place
        fitting = self.fitting(role)
        if len(fitting) > 1:
            self._ask_which(role, fitting)
        if fitting and role == "successes" and key(self.names[fitting[0]]) in _SEVERAL_A_UNIT:
            self._ask_whether(role, fitting[0])
        return fitting[0] if fitting else None

    def fitting(self, role: str) -> list[int]:
        """Return every column whose name fits a role."""
        return [
            place
            for place, name in enumerate(self.names)
            if place not in self.taken
            and (key(name) in NAMES[role] or (role == "unit" and _is_id(name)))
            and name not in self.chosen.by_role.values()
        ]

    def nearest(self, wanted: str) -> str:
        """Return what to say after the name of a column that is not there: the nearest, or all of them."""
        by_key = {key(column): column for column in self.names if column}
        near = get_close_matches(key(wanted), by_key, n=1)
        if near:
            return f"; the nearest is {by_key[near[0]][:60]}"
        names = ", ".join(column[:40] for column in self.names[:8])
        return f"; its columns are {names}" if names else ""

    def _ask_which(self, role: str, fitting: Sequence[int]) -> None:
        names = [f"`{self.names[place][:40]}`" for place in fitting[:4]]
        both = f"{', '.join(names[:-1])} and {names[-1]}"
        flag = self.chosen.flags.get(role)
        how = f"Name the right one `{NAMES[role][0]}`, or leave the others out"
        if flag is not None:
            how = f"Say which: {' or '.join(f'`{flag}{self.names[place][:40]}`' for place in fitting[:4])}"
        refuse(f"{both} could {'both' if len(fitting) == 2 else 'all'} be {_SAID[role]}. {how}")

    def _ask_whether(self, role: str, place: int) -> None:
        name = self.names[place][:40]
        flag = self.chosen.flags.get(role)
        how = f"say `{flag}{name}`" if flag is not None else f"name it `{NAMES[role][0]}`"
        refuse(f"A unit may have several {name}, so they are not read as successes. If each unit counts once, {how}")


_SAID: Mapping[str, str] = {
    "variant": "the variant", "n": "the number of units (`n`)", "successes": "the successes", "rate": "the rate",
    "mean": "the mean", "sd": "the standard deviation", "se": "the standard error", "variance": "the variance",
    "sum": "the sum", "sum_squares": "the sum of squares", "unit": "the unit",
}  # fmt: skip


def _is_id(name: str) -> bool:
    return key(name).endswith(" id") and key(name) not in _NO_UNITS
