"""What of the exposures counts in no variant: told where it is little, a reason to refuse the read where it is not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from labcoat.domain.left_out import LeftOut
from labcoat.warehouse.errors import some
from labcoat.warehouse.exposed_units import Lack

MOST_PERCENT = 1
"""Of each variant: so much may be left out and told. An effect could be made of more."""
_TOO_MUCH = f"that is more than {MOST_PERCENT} % of a variant, so it can't be left out."
_LACKS = {
    "two": "in two variants",
    "unplanned": "in a variant that is not in the plan",
    "variant": "without a variant",
    "time": "without a time in exposed_at",
    "experiment": "without an experiment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """Rows that lack something. variant: where the plan has it. units: those that no complete row names."""

    lack: Lack
    variant: str | None
    units: int
    row_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmUnits:
    """Units of one variant, or of two if `last_variant` is another: they count in none then.

    respelled: units whose variant is written otherwise than in the plan. spelling: how one of them has it.
    """

    variant: str
    last_variant: str
    units: int
    row_count: int
    respelled: int = 0
    spelling: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Its variants; of three or more two."""
        return frozenset({self.variant, self.last_variant})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the exposures of one experiment have. variants: of the plan. dropped: those without traffic by now.

    is_cut: there are more variants than came back.
    """

    arms: Sequence[ArmUnits]
    incomplete: Sequence[Incomplete]
    variants: Sequence[str]
    dropped: Sequence[str] = ()
    is_cut: bool = False

    @property
    def staying(self) -> list[ArmUnits]:
        """The units without those that moved on from a dropped variant, which is no fault."""
        return [one for one in self.arms if len(one.names) == 1 or not one.names & set(self.dropped)]

    @property
    def crossed(self) -> int:
        """How many units were in two variants."""
        return sum(one.units for one in self.staying if len(one.names) > 1)

    @property
    def unplanned(self) -> dict[str, int]:
        """Units by the variant that the plan does not have, the largest first: engines return them in any order."""
        mine = [one for one in self.arms if len(one.names) == 1 and one.variant not in self.variants]
        return {one.variant: one.units for one in sorted(mine, key=lambda one: (-one.units, one.variant))}

    def left_out(self) -> LeftOut:
        """Return what is told."""
        rows = Counter[Lack]()
        for one in self.incomplete:
            rows[one.lack] += one.row_count
        respelled = (one for one in self.arms if len(one.names) == 1 and one.variant in self.variants)
        return LeftOut(
            no_unit=rows[Lack.UNIT],
            no_variant=rows[Lack.VARIANT],
            no_time=rows[Lack.TIME],
            no_experiment=rows[Lack.EXPERIMENT],
            unplanned=self.unplanned,
            respelled={one.spelling: one.respelled for one in respelled if one.spelling is not None},
        )


@dataclass(frozen=True, slots=True)
class _Loss:
    """Units or rows that count nowhere.

    variants: those that lose them, each an equal part: a unit in two is of one of them. Empty: it may be any.
    """

    what: str
    count: int
    variants: frozenset[str]


def is_too_much(found: Found) -> bool:
    """Return whether more than MOST_PERCENT of a variant counts nowhere."""
    return refusal(found) is not None


def refusal(found: Found) -> str | None:
    """Return what is wrong where more than MOST_PERCENT of a variant counts nowhere, None where it does not."""
    known = [one for one in found.incomplete if one.lack is not Lack.UNIT]
    units = _sizes(
        found, [(one.names, one.units) for one in found.staying], [(one.variant, one.units) for one in known]
    )
    losses = list(_losses(found, known))
    if _is_too_much(losses, units) or (found.is_cut and found.unplanned):
        return _words(found, losses)
    every = [(one.variant, one.row_count) for one in found.incomplete]
    rows = _sizes(found, [(one.names, one.row_count) for one in found.staying], every)
    nameless = [
        _Loss("unit", one.row_count, frozenset(found.variants) & {one.variant})
        for one in found.incomplete
        if one.lack is Lack.UNIT
    ]
    if _is_too_much(nameless, rows):
        count = sum(one.count for one in nameless)
        why = f"That is more than {MOST_PERCENT} % of a variant's rows."
        return f"{some(count, 'row')} without a unit. {why} Write the unit, or leave such rows out with `sql`."
    return None


def _sizes(
    found: Found, complete: Iterable[tuple[frozenset[str], int]], lacking: Iterable[tuple[str | None, int]]
) -> dict[str, int]:
    """Return how large each variant is that goes on, with what it loses."""
    sizes = Counter[str | None]()
    for names, count in complete:
        sizes.update(dict.fromkeys(names, count))
    for name, count in lacking:
        sizes[name] += count
    return {name: sizes[name] for name in found.variants if name not in found.dropped and sizes[name]}


def _losses(found: Found, known: Iterable[Incomplete]) -> Iterator[_Loss]:
    planned = frozenset(found.variants)
    for arm in found.staying:
        if len(arm.names) > 1 and arm.names & planned:
            yield _Loss("two", arm.units, arm.names & planned)
        elif not arm.names & planned:
            yield _Loss("unplanned", arm.units, frozenset())
    for one in known:
        if one.units and (one.variant is not None or one.lack is not Lack.EXPERIMENT):
            yield _Loss(one.lack.name.lower(), one.units, planned & {one.variant})


def _is_too_much(losses: Sequence[_Loss], sizes: Mapping[str, int]) -> bool:
    if not sizes:
        return bool(losses)
    return any(
        100 * sum(one.count / max(len(one.variants), 1) for one in losses if not one.variants or name in one.variants)
        > MOST_PERCENT * size
        for name, size in sizes.items()
    )


def _words(found: Found, losses: Sequence[_Loss]) -> str:
    """Return what is lost, the most of it first, and what to do about that."""
    counts = Counter[str]()
    for one in losses:
        counts[one.what] += one.count
    (first, count), *others = counts.most_common()
    also = " and ".join(f"{some(number, 'unit')} {_LACKS[what]}" for what, number in others)
    why = f"Together with {also} {_TOO_MUCH}" if others else f"{_TOO_MUCH[0].upper()}{_TOO_MUCH[1:]}"
    noun = f"{some(count, 'unit')} {_LACKS[first]}"
    match first:
        case "two":
            of = sum(one.units for one in found.staying)
            what = f"{some(count, 'unit')} of {of:,} {_LACKS[first]}, too many to leave out"
            return f"{what}. {why} If these are several experiments, name the column `experiment`."
        case "unplanned":
            beside = f"{also} and " if others else ""
            many = f"{some(count, 'unit')}, more than {MOST_PERCENT} % of a variant,"
            names = f"{_listed(found.unplanned)}. The plan has {', '.join(found.variants)}."
            return f"{beside}{many} {_LACKS[first]}: {names}"
        case "variant":
            return f"{noun}. {why} Write the variant, or leave out with `sql` who was never in the experiment."
        case "time":
            what = "A time before 1971 or after 2199 is none; of numbers, check what they count."
            return f"{noun}. {why} {what} Write the time, or leave out with `sql` who was never exposed."
        case _:
            return f"{noun}, in variants of the plan. {why} Write the experiment, or leave such rows out with `sql`."


def _listed(units: Mapping[str, int]) -> str:
    names = sorted(units, key=lambda name: (-units[name], name))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(name[:75] for name in names[:3])}{more}"
