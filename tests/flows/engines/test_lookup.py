"""What every engine of the registry must hold, and the real ones for real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init import seed_method
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.engines import ENGINES, chosen_engines
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.testing.engines import check_engine, computed
from fermiloop.schemas.method import Method

ALL = list(chosen_engines())
SETTINGS = {"flow": {"maker": "group_flows:SqueezeMaker", "outputs": {"bulk_modulus": "bulk.0.k"}}}
ALUMINIUM = PROTOTYPES["A1"].build("Al", None, 16.5)
NUMBER = {"gpaw": "cutoff", "gpaw-hard": "cutoff", "vasp": "dos_kpoints", "cp2k": "cutoff"}  # a setting of each


@pytest.mark.parametrize("engine", [name for name in ALL if name != "recorded"])
def test_every_engine_does_what_campaigns_ask_of_it(engine: str) -> None:
    check_engine(ENGINES[engine], [ALUMINIUM], SETTINGS.get(engine), compute=engine in ("analytic", "flow"))


def test_an_unknown_setting_is_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match=r"The chgnet engine has no setting 'ffmax'; did you mean fmax\?"):
        code_of("chgnet").method({"ffmax": 1.0})


@pytest.mark.parametrize("engine", [name for name in ALL if name != "flow"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "much", True])
def test_a_setting_that_is_no_number_is_refused(engine: str, value: Any) -> None:
    name = NUMBER.get(engine, "fmax")
    with pytest.raises(InputError, match=name):
        code_of(engine).method({name: value})


@pytest.mark.parametrize("engine", ALL)
def test_availability_tells_what_to_do(engine: str) -> None:
    found = code_of(engine).available()
    assert found.detail
    assert found.ready or "install" in found.detail or "set " in found.detail


@pytest.mark.parametrize("seed", [seed_method.GPAW, seed_method.GPAW_HARD], ids=lambda seed: str(seed["engine"]))
def test_a_seed_library_and_its_engine_are_one_method(seed: dict[str, Any]) -> None:
    ours = code_of(seed["engine"]).method({})
    assert ours.settings == seed["settings"]
    made = Method.make(ours.engine, ours.functional, ours.settings, ours.code_versions)
    assert made.id == Method.make(seed["engine"], seed["functional"], seed["settings"], {}).id


def test_how_a_relaxation_is_run_is_no_part_of_the_method() -> None:
    for how in ({"relax_fmax": 0.1}, {"relax_extra_cutoff": 200}):
        assert code_of("gpaw").method(how).settings == code_of("gpaw").method({}).settings
    assert code_of("gpaw").method({"cutoff": 500}).settings != code_of("gpaw").method({}).settings


def test_gpaw_refuses_elements_that_need_a_higher_cutoff() -> None:
    oxide = PROTOTYPES["B1"].build("Mg", "O", 9.4)
    told = str(code_of("gpaw").refuses(oxide, {}))
    assert told == "O needs a cutoff of 600 eV, not 400: write engine: {name: gpaw-hard}"
    assert code_of("gpaw").refuses(oxide, {"cutoff": 600}) is None
    assert code_of("gpaw-hard").refuses(oxide, {}) is None


def test_what_refuses_a_cutoff_of_gpaw_hard_does_not_name_that_engine_as_the_remedy() -> None:
    told = code_of("gpaw-hard").refuses(PROTOTYPES["B3"].build("B", "N", 6.0), {"cutoff": 500})
    assert told == "B, N need a cutoff of 600 eV, not 500: leave cutoff out, or write 600 or more"


@pytest.mark.parametrize(
    ("engine", "settings", "remedy"),
    [
        ("gpaw", {"cutoff": 600}, "write engine: {name: gpaw-hard}"),
        ("gpaw-hard", {"relax_extra_cutoff": 0}, "leave relax_extra_cutoff out, or write 200 or more"),
        ("gpaw-hard", {"cutoff": 700, "relax_extra_cutoff": 50}, "leave relax_extra_cutoff out, or write 100 or more"),
        (
            "gpaw-hydrogen",
            {"cutoff": 650},
            "write engine: {name: gpaw-hydrogen, settings: {cutoff: 650, relax_extra_cutoff: 150}}",
        ),
    ],
)
def test_gpaw_relaxes_no_cell_at_a_cutoff_that_suffices_for_energies_alone(
    engine: str, settings: dict[str, float], remedy: str
) -> None:
    oxide, code = PROTOTYPES["B1"].build("Mg", "O", 9.4), code_of(engine)
    sum_of = settings.get("cutoff", 600) + settings.get("relax_extra_cutoff", 0)
    told = f"O needs a cutoff of 800 eV where cells are relaxed, not {sum_of}, at which stresses are some GPa off"
    assert code.refusal(oxide, settings | {"reference_corrections": {"O": 0.4}}) == f"{told}: {remedy}"
    assert code.refusal(oxide, settings, relax=False) is None
    assert code.refusal(ALUMINIUM, settings) is None
    assert code.refusal(oxide, {"cutoff": 600, "relax_extra_cutoff": 200}) is None


@pytest.mark.parametrize("engine", ["gpaw", "gpaw-hard", "gpaw-hydrogen", "vasp"])
def test_how_far_densities_of_states_reach_is_known_before_any_crystal(engine: str) -> None:
    reach = code_of(engine).dos_range
    assert reach({"reference_corrections": {"O": 0.4}}) == (-10.0, 8.0)
    assert reach({"dos_lo": -5, "dos_hi": 5, "dos_step": 0.3}) == (-5.0, 4.9)
    with pytest.raises(InputError, match=f"dos_step of the {engine} engine is 0; write one from 0.001 to 0.5"):
        reach({"dos_step": 0})


def test_gpaw_relaxes_a_molecule_whose_cell_stays_as_it_is() -> None:
    oxygen = Structure(Lattice.cubic(10.0), ["O", "O"], [[0.5, 0.5, 0.44], [0.5, 0.5, 0.56]])
    assert code_of("gpaw").refusal(oxygen, {"cutoff": 600}) is None


@pytest.mark.parametrize("engine", ["gpaw", "gpaw-hard"])
def test_gpaw_refuses_elements_without_a_setup(engine: str) -> None:
    told = code_of(engine).refuses(PROTOTYPES["A3"].build("Tc", None, 14.0), {})
    assert told == "gpaw-data has no PAW setup of Tc"


def test_the_two_families_of_gpaw_are_different_methods_of_one_code() -> None:
    soft, hard = code_of("gpaw").method({}), code_of("gpaw-hard").method({})
    assert (hard.engine, hard.settings) == ("gpaw-hard", soft.settings | {"cutoff": 600.0})
    made = [Method.make(one.engine, one.functional, one.settings, {}).id for one in (soft, hard)]
    by_hand = code_of("gpaw").method({"cutoff": 600})
    assert len({*made, Method.make(by_hand.engine, by_hand.functional, by_hand.settings, {}).id}) == 3


def test_plus_u_is_part_of_the_method() -> None:
    method = code_of("gpaw-hard").method
    assert "hubbard" not in method({}).settings
    assert method({"hubbard": {"V": 0}}) == method({})
    assert method({"hubbard": "materials_project"}).settings["hubbard"] == "materials_project"
    assert list(method({"hubbard": {"V": 3, "Co": 3.32}}).settings["hubbard"]) == ["Co", "V"]


def test_chgnet_relaxes_for_real() -> None:
    found = computed(code_of("chgnet"), PROTOTYPES["B2"].build("Al", "Ni", 13.0), {}, 170.0)
    assert found.structure.volume / 2 == pytest.approx(12.0, abs=0.9)
    assert found.energy_per_atom == pytest.approx(-5.41, abs=0.05)
    assert found.density is None


@pytest.mark.slow
@pytest.mark.dft
@pytest.mark.timeout(300)
def test_gpaw_relaxes_and_gives_a_density_of_states() -> None:
    if not code_of("gpaw").available().ready:
        pytest.skip("GPAW is not installed: pip install '.[dft]' in fermiloop's folder")
    found = computed(
        code_of("gpaw"), PROTOTYPES["A1"].build("Al", None, 17.0), {"kpoint_density": 3.5}, 170.0, "calc-gpaw"
    )
    assert found.energies is not None
    assert found.density is not None
    assert (4 * found.structure.volume) ** (1 / 3) == pytest.approx(4.05, abs=0.03)  # Å, PBE
    occupied = found.energies <= 0
    inside = float(np.trapezoid(found.density[occupied], found.energies[occupied]))
    assert found.n_electrons == 3.0
    assert 2.0 < inside < 3.0  # the bottom of the band lies 11 eV down, below the window
    assert found.gap == 0.0
    assert isolation.core_seconds("calc-gpaw") > 0.5
    assert isolation.attempts("calc-gpaw") == 2
