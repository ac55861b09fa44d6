"""The campaign file: what is looked for, where, with what means, and for how much.

One YAML file, read into frozen pydantic models; ``docs/campaigns.md`` is its reference. Every
mistake is a `SpecError` of one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError, model_validator

from fermiloop.platform.campaign import names
from fermiloop.platform.campaign.choosing import PROBABILITY, AcquisitionSpec
from fermiloop.platform.campaign.paths import anchored
from fermiloop.platform.campaign.spec_checks import check_acquisition, check_generators, check_stages
from fermiloop.platform.campaign.spec_errors import sentence
from fermiloop.platform.campaign.spec_fields import (
    STORED,
    Number,
    Options,
    Part,
    SpaceSymbol,
    Text,
    Whole,
    campaign_name,
    distinct,
    installed,
    known,
)
from fermiloop.platform.campaign.stopping import StopSpec
from fermiloop.platform.campaign.target_spec import TargetSpec
from fermiloop.platform.campaign.yaml_text import load_mapping, read_text
from fermiloop.platform.errors import InputError, SpecError, UserError
from fermiloop.platform.generators.protocol import Space
from fermiloop.platform.plugins.engines import ENGINES, EngineDeclaration, chosen_engines
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.plugins.potentials import DEFAULT, POTENTIALS
from fermiloop.platform.plugins.stages import STAGES, usual
from fermiloop.platform.plugins.surrogates import SURROGATES
from fermiloop.schemas.curve_kinds import SpectrumKind

BLEND: Final = "blend"
EXPECTED_IMPROVEMENT: Final = "expected_improvement"
HYPERVOLUME: Final = "hypervolume"


MOST_COMPONENTS: Final = 6
MOST_SITES: Final = 60


class SpaceSpec(Part):
    """Where candidates may lie: ordered crystals, one element a site."""

    elements: Annotated[tuple[SpaceSymbol, ...], AfterValidator(distinct)] = Field(
        min_length=1, description="element symbols"
    )
    components: tuple[Whole, Whole] = Field(default=(1, 2), description="fewest and most distinct elements")
    crystal_systems: Annotated[
        tuple[Annotated[Text, AfterValidator(known("crystal system", names.CRYSTAL_SYSTEMS))], ...],
        AfterValidator(distinct),
    ] = Field(default=("cubic", "hexagonal"), min_length=1, description="crystal systems")
    max_sites: Whole = Field(default=8, ge=1, le=MOST_SITES, description="most sites of the primitive cell")

    @model_validator(mode="after")
    def _components(self) -> SpaceSpec:
        low, high = self.components
        if not 1 <= low <= high <= MOST_COMPONENTS:
            raise ValueError(
                f"space.components is [{low}, {high}], but must rise within 1 to {MOST_COMPONENTS}, such as [1, 2]"
            )
        if len(self.elements) < low:
            raise ValueError(
                f"space.elements names {len(self.elements)}, but space.components asks for at least {low} in each"
            )
        return self

    def space(self) -> Space:
        """The same as generators take it."""
        return Space(self.elements, self.components, self.crystal_systems, self.max_sites)


class GeneratorSpec(Part):
    """One proposer and how many candidates it proposes each round."""

    name: Annotated[Text, AfterValidator(known("generator", GENERATORS))] = Field(description="a generator's name")
    preset: Text | None = Field(default=None, description="a preset of the generator")
    proposals: Whole = Field(ge=1, le=100_000, description="candidates proposed each round")
    options: Options = Field(default_factory=dict, description="what the generator takes beyond its preset")


class FunnelSpec(Part):
    """Which stages screen the candidates."""

    stages: Annotated[tuple[Annotated[Text, AfterValidator(known("stage", STAGES))], ...], AfterValidator(distinct)] = (
        Field(default_factory=usual, min_length=1, description="stages in their order")
    )
    potential: Annotated[Text, AfterValidator(known("potential", POTENTIALS))] = Field(
        default=DEFAULT, description="cheap potential of relaxation and hull"
    )
    max_energy_above_hull: Number = Field(default=0.2, gt=0, le=10, description="eV/atom by the cheap potential")
    sizing: Annotated[Text, AfterValidator(known("sizing", names.SIZINGS))] = Field(
        default="fixed", description="whether the rounds propose as many as the file says or as many as are needed"
    )
    choice: Number = Field(default=3.0, ge=1, le=100, description="candidates to choose from for each evaluation")
    options: dict[Annotated[Text, AfterValidator(known("stage", STAGES))], Options] = Field(
        default_factory=dict, description="options of stages that take some, by the stage's name"
    )

    @model_validator(mode="after")
    def _options(self) -> FunnelSpec:
        for stage, given in self.options.items():
            if stage not in STAGES:  # of a stored campaign, see `known`
                continue
            if stage not in self.stages:
                raise ValueError(f"funnel.options names {stage}, which is not among funnel.stages; add it there")
            try:
                STAGES[stage].settings(given)
            except UserError as error:
                raise ValueError(f"funnel.options.{stage} cannot be used: {str(error).rstrip('.')}") from None
        if self.options.get("relaxation", {}).get("pressure") and "hull" in self.stages:
            raise ValueError(
                "funnel.options.relaxation.pressure: the hull is one at zero pressure; leave hull out of funnel.stages"
            )
        return self


class SurrogateSpec(Part):
    """What predicts the target of candidates."""

    name: Annotated[Text, AfterValidator(known("surrogate", SURROGATES))] = Field(
        default=BLEND, description="a surrogate's name"
    )
    options: Options = Field(default_factory=dict, description="the surrogate's own options")

    @model_validator(mode="after")
    def _options(self) -> SurrogateSpec:
        if self.name not in SURROGATES:  # of a stored campaign, see `known`
            return self
        try:
            SURROGATES[self.name].settings(self.options)
        except UserError as error:
            raise ValueError(f"surrogate.options cannot be used: {str(error).rstrip('.')}") from None
        return self


class EngineSpec(Part):
    """What computes the chosen candidates."""

    name: Annotated[Text, AfterValidator(installed("engine", chosen_engines))] = Field(
        default="gpaw", description="an engine"
    )
    settings: Options = Field(default_factory=dict, description="settings of the engine, beyond its defaults")
    time_limit: Number = Field(default=900.0, gt=0, le=604_800, description="seconds that one calculation may take")


class BudgetSpec(Part):
    """How much may be spent; the first limit that is reached ends the campaign."""

    rounds: Whole = Field(ge=1, le=1000, description="most rounds")
    evaluations: Whole = Field(ge=1, le=100_000, description="most evaluations, failed ones included")
    per_round: Whole = Field(ge=1, description="evaluations of one round")
    core_hours: Number | None = Field(default=None, gt=0, description="most core-hours in all")
    stage_core_hours: Annotated[
        dict[Annotated[Text, AfterValidator(known("step", names.STEPS))], Annotated[Number, Field(gt=0)]],
        Field(description="most core-hours of retrain, sample, screen, evaluate"),
    ] = Field(default_factory=dict)


class RetrainSpec(Part):
    """When generators are trained again."""

    min_new_labels: Whole = Field(default=1, ge=0, description="new results that make a retraining worth it")
    by: Annotated[Text, AfterValidator(known("trainer", names.TRAINERS))] = Field(
        default="campaign",
        description="whether each round trains the generators, or takes the champions of the schedules",
    )
    source: Text | None = Field(
        default=None, description="source whose labels are learned, such as Materials Project; the engine's otherwise"
    )


class CampaignSpec(Part):
    """A whole campaign file."""

    name: Annotated[Text, AfterValidator(campaign_name)] = Field(description="the campaign's name")
    target: TargetSpec = Field(description="what is looked for")
    space: SpaceSpec = Field(description="where candidates may lie")
    generators: tuple[GeneratorSpec, ...] = Field(min_length=1, description="who proposes candidates")
    funnel: FunnelSpec = Field(default_factory=FunnelSpec, description="how candidates are screened")
    surrogate: SurrogateSpec = Field(default_factory=SurrogateSpec, description="what predicts the target")
    acquisition: AcquisitionSpec = Field(default_factory=AcquisitionSpec, description="how candidates are chosen")
    engine: EngineSpec = Field(default_factory=EngineSpec, description="what computes the chosen ones")
    budget: BudgetSpec = Field(description="how much may be spent")
    retrain: RetrainSpec = Field(default_factory=RetrainSpec, description="when generators are trained again")
    stop: StopSpec = Field(default_factory=StopSpec, description="what ends the campaign early")
    mode: Annotated[Text, AfterValidator(known("mode", names.MODES))] = Field(
        default="rounds", description="whether selection waits for the end of a round, or goes on with every result"
    )
    priority: Number = Field(default=1.0, gt=0, le=1000, description="share of the workers, relative to others")
    seed: Whole = Field(default=0, ge=0, lt=2**32, description="seed of everything random")

    @model_validator(mode="after")
    def _suiting(self) -> CampaignSpec:
        """Without a name, the acquisition is the one that suits the target."""
        wishes = len(self.target.objectives)
        if "name" not in self.acquisition.model_fields_set and wishes:
            name = HYPERVOLUME if wishes > 1 else PROBABILITY if self.target.has_hits else EXPECTED_IMPROVEMENT
            # set past the frozen model, which is not handed out yet
            self.__dict__["acquisition"] = self.acquisition.model_copy(update={"name": name})
        return self

    @model_validator(mode="after")
    def _together(self) -> CampaignSpec:
        problem = next((found for check in CROSS_CHECKS if (found := check(self))), None)
        if problem:
            raise ValueError(problem)
        return self

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `CampaignSpec.stored` reads it back."""
        return self.model_dump(mode="json")

    @classmethod
    def stored(cls, tree: dict[str, Any]) -> CampaignSpec:
        """A campaign as it was launched, readable where a package that it names is not installed."""
        return cls.model_validate(tree, context=STORED)


def _check_budget(spec: CampaignSpec) -> str | None:
    """A round fits in the budget."""
    budget = spec.budget
    if budget.per_round > budget.evaluations:
        return f"budget.per_round is {budget.per_round}, but may be at most budget.evaluations, {budget.evaluations}"
    return None


def _check_stop(spec: CampaignSpec) -> str | None:
    """The baseline that is to be beaten can be measured."""
    baseline = spec.stop.no_better_than
    if not spec.target.has_hits and (spec.stop.hits is not None or baseline is not None):
        key = "hits" if spec.stop.hits is not None else "no_better_than"
        return f"stop.{key} counts hits, but target has objectives alone; give one a bound, or leave stop.{key} out"
    if baseline == "substitution" and all(generator.name != "substitution" for generator in spec.generators):
        return "stop.no_better_than is substitution, which does not propose here; add it to generators"
    if baseline == "random" and spec.target.dos is None and all(g.name != "random_pick" for g in spec.generators):
        return "stop.no_better_than is random, which only a DOS target gives; add random_pick to generators"
    return None


def _no_curve(target: TargetSpec, engine: EngineDeclaration, settings: Mapping[str, Any]) -> str | None:
    """That the engine, as it is set, does not give the curve that is looked for."""
    curve = target.curve
    if curve is None or target.of_crystals or curve.kind in engine.curves(settings):
        return None
    told = f"engine.name is {engine.name}, which gives no {curve.kind.declared.title} for target.{curve.kind}"
    if curve.kind is SpectrumKind.DOS:
        return f"{told}; use gpaw"
    if engine.curve_named_by and curve.kind in engine.gives_curves:
        return f"{told}; set engine.settings.{engine.curve_named_by} to {curve.kind}"
    able = [other for other in chosen_engines() if curve.kind in ENGINES[other].gives_curves]
    return f"{told}; use {' or '.join(able)}" if able else f"{told}, and no engine that is installed here does"


def _not_given(spec: CampaignSpec) -> str | None:
    """What the target asks for and the engine, as it is set, does not give."""
    name, settings = spec.engine.name, spec.engine.settings
    if name not in ENGINES:  # of a package that is not installed here, in a campaign that was launched before
        return None
    engine = ENGINES[name]
    if told := _no_curve(spec.target, engine, settings):
        return told
    given = engine.properties(settings)
    missing = next((window.name for window in spec.target.properties if window.name not in given), None)
    if missing is None:
        return None
    told = f"engine.name is {name}, which gives no {missing} for target.properties"
    if engine.named_by:
        return f"{told}; name it in engine.settings.{engine.named_by}"
    able = [other for other in chosen_engines() if missing in ENGINES[other].gives]
    return f"{told}; use {' or '.join(able)}" if able else f"{told}, and no engine that is installed here does"


CROSS_CHECKS: Final = (check_generators, _check_budget, _check_stop, check_stages, check_acquisition, _not_given)


def load_spec(path: Path) -> CampaignSpec:
    """Campaign of a YAML file; a curve file that it names is read into it.

    Raises
    ------
    SpecError
        If the file cannot be read or does not hold.
    """
    return parse_spec(read_text(path), source=str(path), folder=path.parent)


def parse_spec(text: str, source: str = "The campaign", folder: Path | None = None) -> CampaignSpec:
    """Campaign of a YAML text.

    Parameters
    ----------
    text
        YAML.
    source
        What to call it in errors.
    folder
        Where relative files lie; without it they are looked for in the working folder.

    Raises
    ------
    SpecError
        If anything does not hold: one sentence with key, value and what would be right.
    """
    tree = anchored(load_mapping(text, source), folder or Path())
    try:
        spec = CampaignSpec.model_validate(tree)
    except ValidationError as error:
        raise SpecError(sentence(error, CampaignSpec, source)) from None
    except RecursionError:
        raise SpecError(f"{source} is nested too deeply to be a campaign; see docs/campaigns.md.") from None
    return _with_curve(spec, source, folder or Path())


def _with_curve(spec: CampaignSpec, source: str, folder: Path) -> CampaignSpec:
    """The same campaign with the curve file's numbers in it, so that it runs wherever it is stored."""
    curve = spec.target.curve
    if curve is None or curve.file is None:
        return spec
    try:
        read = curve.read(folder / curve.file)
        spec.target.check_curve(read)
    except InputError as error:
        raise SpecError(f"{source}: target.{curve.kind}.file: {_uncapital(str(error))}") from None
    return spec.model_copy(update={"target": spec.target.model_copy(update={str(curve.kind): read})})


def _uncapital(text: str) -> str:
    return text if text.startswith("/") else text[:1].lower() + text[1:]
