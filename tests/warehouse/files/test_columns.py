"""A column is found by its name, and never guessed between two."""

import pytest

from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files.columns import NAMES, Chosen, Columns

FLAGS = {"n": "--count "}


def found(role: str, *names: str, chosen: Chosen | None = None, unit: str = "") -> str | None:
    place = Columns(names=names, chosen=chosen or Chosen(), unit=unit).find(role)
    return None if place is None else names[place]


def refused(role: str, *names: str, chosen: Chosen | None = None) -> str:
    with pytest.raises(SourceError) as raised:
        found(role, *names, chosen=chosen)
    return raised.value.message


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("variation", "users", "main_sum", "main_sum_squares"), ("variant", "n", "sum", "sum_squares")),  # GrowthBook
        (("group_name", "total_units", "mean", "std_err"), ("variant", "n", "mean", "se")),  # Statsig
        (("variation_key", "num_subjects", "numerator_sum"), ("variant", "n", "sum")),  # Eppo
        (("key", "absolute_exposure", "success_count"), ("variant", "n", "successes")),  # PostHog
        (("Variant Name", "EXPOSURES", "Conversion Rate (%)"), ("variant", "n", "rate")),
    ],
)
def test_names_of_exports_are_known(names: tuple[str, ...], roles: tuple[str, ...]) -> None:
    assert [found(role, *names) for role in roles] == list(names)


def test_two_that_fit_are_asked_about_with_what_decides() -> None:
    said = refused("n", "variant", "visitors", "total", chosen=Chosen(flags=FLAGS))

    assert said == (
        "`visitors` and `total` could both be the number of units (`n`). "
        "Say which: `--count visitors` or `--count total`."
    )
    assert "Name the right one `n`, or leave the others out" in refused("n", "variant", "visitors", "total")


def test_who_says_which_decides() -> None:
    assert found("n", "visitors", "total", chosen=Chosen(by_role={"n": "total"})) == "total"
    assert found("n", "visitors", "n") == "n"


def test_events_are_no_successes_unless_somebody_says_so() -> None:
    assert "A unit may have several events" in refused("successes", "variant", "n", "events")
    assert found("successes", "n", "events", chosen=Chosen(by_role={"successes": "events"})) == "events"


def test_whatever_ends_in_id_may_be_the_unit() -> None:
    assert found("unit", "device_id", "variant") == "device_id"
    assert "`order_id` and `customer_id` could both be the unit" in refused("unit", "order_id", "customer_id")
    assert found("unit", "order_id", "customer_id", unit="customer") == "customer_id"
    assert found("unit", "experiment_id", "variant_id") is None


@pytest.mark.parametrize("role", NAMES)
def test_names_of_a_role_are_written_as_they_are_compared(role: str) -> None:
    for name in NAMES[role]:
        assert found(role, name, chosen=Chosen(by_role={role: name})) == name
    assert len(set(NAMES[role])) == len(NAMES[role])
