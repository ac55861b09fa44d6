"""What the child does: hydrogen in each site of a relaxed crystal, every energy kept as soon as it is there.

Each site has a folder in that of the step. A rerun takes the energies that are there and goes on from the last geometry
of the sites that were cut off or did not end. The molecule is computed once for all crystals of a Method, in a folder
of the data directory; the calculation that does so pays for it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw_hydrogen.energies import PROPERTY, interstitial_energy, summary, unfinished
from fermiloop.flows.engines.gpaw_hydrogen.settings import GpawHydrogenSettings
from fermiloop.flows.engines.gpaw_hydrogen.sites import NARROWEST, WIDEST, Site, interstitial_sites
from fermiloop.flows.engines.moments import MAGMOM
from fermiloop.flows.engines.steps.geometry import plain
from fermiloop.flows.engines.steps.isolation import held, write_atomically
from fermiloop.platform.errors import EngineError
from fermiloop.platform.representations.molecules import is_molecule
from fermiloop.platform.representations.supercells import images_apart, matrix_for, primitive, repeated

if TYPE_CHECKING:
    from fermiloop.flows.engines.gpaw_hydrogen.dft import Relaxed

NO_SITE: Final = f"the crystal has no interstitial site: no hole between {NARROWEST:g} and {WIDEST:g} Å"
# all that changes the energy of a molecule in a box
OF_MOLECULE: Final = ("cutoff", "smearing", "box", "hydrogen_fmax")


def run(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Labels of the crystal with the energy of interstitial hydrogen, or why there is none.

    A crystal without a site, or where one does not end, has paid for its energy and its curve: they are kept.

    Parameters
    ----------
    task
        ``labels``, what the static calculation of the relaxed crystal left; ``moments`` that its atoms were given to
        begin with, None for those of the table; ``settings``; ``molecules``, the folder of molecules; ``versions``, of
        the programs.

    Raises
    ------
    EngineError
        If the molecule cannot be computed, which is no fault of the crystal.
    """
    settings, labels = GpawHydrogenSettings(**task["settings"]), dict(task["labels"])
    crystal = Structure.from_dict(labels["structure"])
    if is_molecule(crystal):
        return labels  # a reference of an element, which has no interstitial sites
    if task.get("moments"):
        crystal.add_site_property(MAGMOM, task["moments"])
    host = primitive(crystal)
    found = interstitial_sites(host, settings.sites)
    if not found:
        return _without(labels, NO_SITE, {"sites": []})
    try:
        cell = repeated(host, matrix_for(host, settings.separation, settings.cells))
        bare = _host(cell, settings, folder)
    except EngineError as error:
        return _without(labels, str(error), {"sites": []})
    molecule = _molecule(settings, Path(task["molecules"]), task["versions"])
    filled = [_at_site(site, n, host, cell, settings, folder) for n, site in enumerate(found)]
    sites = [_with_energy(one, bare["total"], molecule["energy"]) for one in filled]
    told = {
        "sites": sites,
        "molecule": {"energy": molecule["energy"], "bond": molecule["bond"]},
        "cell": {"atoms": len(cell), "images_apart": images_apart(cell.lattice), **bare},
    }
    if reason := unfinished(sites):
        return _without(labels, reason, told)
    return {**labels, "properties": summary(sites), "details": {"hydrogen": told}}


def _without(labels: Mapping[str, Any], reason: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {**labels, "missing": {PROPERTY: reason}, "details": {"hydrogen": dict(told)}}


def _with_energy(one: dict[str, Any], bare: float, molecule: float) -> dict[str, Any]:
    return one if "error" in one else {**one, "energy": interstitial_energy(one["total"], bare, molecule)}


def _host(cell: Structure, settings: GpawHydrogenSettings, folder: Path) -> dict[str, Any]:
    """The supercell without hydrogen, relaxed as with it: a crystal that is computed as it is may have forces left."""
    place = folder / "host"
    place.mkdir(exist_ok=True)
    return _kept(place / "host.json", lambda: _relaxed_host(cell, settings, place))


def _relaxed_host(cell: Structure, settings: GpawHydrogenSettings, place: Path) -> dict[str, Any]:
    from fermiloop.flows.engines.gpaw_hydrogen.dft import relaxed  # GPAW: who only reads this needs none

    try:
        found = relaxed(cell, settings, place)
    except EngineError as error:
        raise EngineError(f"the supercell without hydrogen: {error}") from error
    return _told(found)


def _at_site(
    site: Site, number: int, host: Structure, cell: Structure, settings: GpawHydrogenSettings, folder: Path
) -> dict[str, Any]:
    """Hydrogen relaxed from one site: what is told of it, with its total energy in eV per cell or why it has none."""
    place = folder / f"site-{number + 1}"
    place.mkdir(exist_ok=True)
    try:
        return _kept(place / "site.json", lambda: _relaxed(site, host, cell, settings, place))
    except EngineError as error:  # of the relaxation alone: a full disk or too little memory is another error
        return {**_described(site), "error": str(error)}


def _relaxed(
    site: Site, host: Structure, cell: Structure, settings: GpawHydrogenSettings, place: Path
) -> dict[str, Any]:
    from fermiloop.flows.engines.gpaw_hydrogen.dft import relaxed

    filled = with_hydrogen_at(cell, host, site)
    found = relaxed(filled, settings, place)
    moved = found.structure[-1].distance(filled[-1])
    return {**_described(site), **_told(found), "moved": float(moved), "structure": plain(found.structure)}


def _described(site: Site) -> dict[str, Any]:
    return {
        "site": site.label,
        "kind": site.kind,
        "coords": list(site.coords),
        "radius": site.radius,
        "multiplicity": site.multiplicity,
    }


def _told(found: Relaxed) -> dict[str, Any]:
    return {
        "total": found.energy,
        "magnetic_moment": found.magnetic_moment,
        "steps": found.steps,
        "force": found.force,
    }


def with_hydrogen_at(cell: Structure, host: Structure, site: Site) -> Structure:
    """A supercell of the host with one hydrogen atom, the last, at one of its sites, without a moment."""
    filled, place = cell.copy(), host.lattice.get_cartesian_coords(site.coords)
    moment = {MAGMOM: 0.0} if MAGMOM in cell.site_properties else None  # a site without one would become NaN
    filled.append("H", place, coords_are_cartesian=True, properties=moment)
    return filled


def _molecule(settings: GpawHydrogenSettings, molecules: Path, versions: Mapping[str, str]) -> dict[str, Any]:
    """H2 by these settings, computed where it is not there yet; one at a time, and the others wait for it."""
    from fermiloop.flows.engines.gpaw_hydrogen.dft import molecule

    folder = molecules / f"H2-{molecule_key(settings, versions)}"
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder, math.inf):  # who waits for ever is ended by the time limit of its step
        return _kept(folder / "molecule.json", lambda: molecule(settings, folder))


def molecule_key(settings: GpawHydrogenSettings, versions: Mapping[str, str]) -> str:
    """Name of a molecule's folder: the same for all settings that give the same energy of it."""
    named = {name: getattr(settings, name) for name in OF_MOLECULE} | {"versions": dict(versions)}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]


def _kept(path: Path, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file holds, computed and written whole where there is none."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        found = compute()
        write_atomically(path, json.dumps(found))
        return found
