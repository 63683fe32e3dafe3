"""What comes in and goes out over HTTP: the models that check requests also describe them in the OpenAPI document."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from labcoat.domain import submitted_totals
from labcoat.domain.amounts import LARGEST_COUNT
from labcoat.domain.plan import LONGEST_METRIC_NAME, MOST_METRICS, MOST_VARIANTS, Plan, PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.results import Readout
from labcoat.stats.rule import MetricKind, Moments

SHARE, MEAN = "share", "mean"
SHARE_FIELDS, MEAN_FIELDS = "units and successes", "units, mean and sd"

Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Number = Annotated[float, Field(ge=-float(LARGEST_COUNT), le=float(LARGEST_COUNT))]
Spread = Annotated[float, Field(ge=0, le=float(LARGEST_COUNT))]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_METRIC_NAME)]


class _Body(BaseModel):
    # Nothing is guessed: "1200", 1200.0 and true are no counts, NaN no number, a misspelt name no default.
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class ShareTotals(_Body):
    """Totals of a metric that is yes or no per unit."""

    units: Count = Field(description="Units since the start.", examples=[24000])
    successes: Count = Field(description="Those of them that did it; at most units.", examples=[1200])


class Before(_Body):
    """The same metric before exposure, for CUPED: a smaller interval from the same units."""

    mean: Number
    sd: Spread
    covariance: Annotated[float, Field(ge=-(10.0**24), le=10.0**24)] = Field(
        description="Of a unit's value with its value before, divisor n - 1."
    )


class MeanTotals(_Body):
    """Totals of a metric that is any number per unit."""

    units: Count = Field(description="Units since the start.", examples=[24000])
    mean: Number = Field(description="Of one unit's value.", examples=[12.5])
    sd: Spread = Field(description="Standard deviation of one unit's value, divisor n - 1.", examples=[30.25])
    before: Before | None = None


def _shape(value: object) -> str | None:
    if isinstance(value, BaseModel):
        return SHARE if isinstance(value, ShareTotals) else MEAN
    if not isinstance(value, Mapping):
        return None
    return SHARE if "successes" in value else MEAN if {"mean", "sd"} & set(value) else None


VariantTotals = Annotated[Annotated[ShareTotals, Tag(SHARE)] | Annotated[MeanTotals, Tag(MEAN)], Discriminator(_shape)]


def _all_or_none(by_variant: dict[str, ShareTotals | MeanTotals]) -> dict[str, ShareTotals | MeanTotals]:
    has_before = {getattr(totals, "before", None) is not None for totals in by_variant.values()}
    if len(has_before) > 1:
        msg = "Give “before” for every variant, or for none"
        raise ValueError(msg)
    return by_variant


MetricTotals = Annotated[
    dict[Name, VariantTotals], Field(min_length=1, max_length=MOST_VARIANTS), AfterValidator(_all_or_none)
]


class Results(_Body):
    """Totals since the start, of one or more metrics, for every variant of the plan."""

    as_of: AwareDatetime | None = Field(
        None,
        description="Until when the totals reach, with its zone; now if left out.",
        examples=["2026-11-26T08:00:00Z"],
    )
    is_correction: bool = Field(
        False,
        description="The earlier numbers were wrong and these replace them; looks that rested on them no longer count. "
        "Needed when counts get smaller, and for other numbers as of the same moment or an earlier one.",
    )
    wrong_since: AwareDatetime | None = Field(
        None,
        description="Of a correction: earlier numbers that reach to this moment or later were wrong; just the newest "
        "of each metric if left out.",
        examples=["2026-11-23T08:00:00Z"],
    )
    metrics: Annotated[dict[Name, MetricTotals], Field(min_length=1, max_length=MOST_METRICS)] = Field(
        description="By the metric's name in the plan, then by the variant's.",
        examples=[
            {
                "orders per user": {
                    "control": {"units": 24000, "successes": 1200},
                    "treatment": {"units": 24100, "successes": 1310},
                }
            }
        ],
    )

    @model_validator(mode="after")
    def _corrects(self) -> Self:
        if self.wrong_since is not None and not self.is_correction:
            msg = 'wrong_since is of a correction: send it with "is_correction": true'
            raise ValueError(msg)
        return self


class TreatmentCalled(BaseModel):
    """What the totals say about one treatment."""

    treatment: str = Field(examples=["treatment"])
    verdict: str = Field(examples=["keep collecting"])
    metric: str | None = Field(description="That decided; null if none did.", examples=["orders per user"])


class LookMade(BaseModel):
    """What the totals say by the plan's rule; stored once, as everybody reads it."""

    verdict: str = Field(description="Of the treatment that comes first.", examples=["keep collecting"])
    is_final: bool
    treatments: list[TreatmentCalled] = Field(description="Each treatment's own, the one that comes first first.")


class Recorded(BaseModel):
    """What was stored."""

    experiment: str = Field(examples=["E-7"])
    recorded: list[str] = Field(
        description="The metrics, as the plan spells them; without those whose numbers were stored already.",
        examples=[["orders per user"]],
    )
    as_of: AwareDatetime
    sent_by: str = Field(description="As people read it in Slack.", examples=["CI pipeline (API)"])
    look: LookMade | None = Field(description="The look that these totals made; null if they made none.")
    says: str = Field(
        description="The same in words.", examples=["No clear effect yet: +0.4 % orders per user (-2.1 to 2.9)"]
    )


class FieldProblem(BaseModel):
    """What is wrong in one place of the body."""

    pointer: str = Field(description="JSON Pointer to it.", examples=["#/metrics/orders per user/control/units"])
    detail: str


class Problem(BaseModel):
    """Why a request was not taken (RFC 9457); nothing was stored."""

    type: Literal["about:blank"] = "about:blank"
    title: str = Field(description="The HTTP status in words.")
    status: int
    detail: str = Field(description="What happened and what to do, for people.")
    reason: str = Field(description="The same for programs.", examples=["smaller than before"])
    errors: list[FieldProblem] | None = None


def look_made(readout: Readout) -> LookMade:
    """Return what a look says, as it is answered."""
    treatments = [
        TreatmentCalled(treatment=one.treatment, verdict=one.verdict.value, metric=one.metric)
        for one in readout.by_treatment
    ]
    return LookMade(verdict=readout.verdict.value, is_final=readout.is_final, treatments=treatments)


def totals_of(results: Results, plan: Plan) -> dict[str, dict[str, Moments]]:
    """Return the totals as the plan measures its metrics; raise Refusal for other metrics and other kinds of totals."""
    return {
        name: {variant: _moments(variant, totals, plan.metric(name)) for variant, totals in by_variant.items()}
        for name, by_variant in results.metrics.items()
    }


def _moments(variant: str, totals: ShareTotals | MeanTotals, planned: PlannedMetric) -> Moments:
    is_share = planned.kind is MetricKind.PROPORTION
    if is_share is not isinstance(totals, ShareTotals):
        kind, known = ("share of units", SHARE_FIELDS) if is_share else ("mean", MEAN_FIELDS)
        raise Refusal(Reason.OTHER_TOTALS, "metrics", metric=planned.name, kind=kind, known=known)
    if isinstance(totals, ShareTotals):
        return submitted_totals.share(variant, events=totals.successes, units=totals.units, field="metrics")
    before = totals.before
    covariate = (before.mean, before.sd, before.covariance) if before else None
    return submitted_totals.mean(units=totals.units, mean=totals.mean, deviation=totals.sd, before=covariate)


def schemas() -> tuple[type[BaseModel], ...]:
    """Return the models that the OpenAPI document names."""
    return Results, Recorded, Problem


def dumped(model: BaseModel) -> dict[str, Any]:
    """Return a model as JSON values, without what it leaves out."""
    left_out = {"errors"} if isinstance(model, Problem) and model.errors is None else set()
    return model.model_dump(mode="json", exclude=left_out)
