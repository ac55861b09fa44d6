"""What OPTIMADE providers call their energies and gaps; only fields whose meaning is documented are taken.

The structures of any other provider are taken without numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from fermiloop.db_init.importers import jarvis
from fermiloop.schemas.vocabulary import Property


@dataclass(frozen=True)
class Numbers:
    """Numbers of one functional.

    Parameters
    ----------
    functional
        What they were computed with.
    fields
        Attribute, or path to it within an attribute, to property.
    """

    functional: str
    fields: dict[tuple[str, ...], Property]


@dataclass(frozen=True)
class Provider:
    """A provider whose fields are known.

    Parameters
    ----------
    name
        Name of the source, as its Methods bear it.
    licence
        Its terms, as it states them.
    numbers
        What to take.
    functional_field
        Attribute that names the functional of an entry, where entries differ.
    """

    name: str
    licence: str
    numbers: tuple[Numbers, ...] = ()
    functional_field: str | None = None
    attributes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = {path[0] for part in self.numbers for path in part.fields}
        names |= {self.functional_field} if self.functional_field else set()
        object.__setattr__(self, "attributes", tuple(sorted(names)))


def _stability(kind: str) -> dict[tuple[str, ...], Property]:
    return {
        ("_mp_stability", kind, "formation_energy_per_atom"): Property.FORMATION_ENERGY_PER_ATOM,
        ("_mp_stability", kind, "energy_above_hull"): Property.ENERGY_ABOVE_HULL,
    }


# prefix of the provider's fields: what is known of them
PROVIDERS: Final[dict[str, Provider]] = {
    "mp": Provider(
        "Materials Project by OPTIMADE",
        "CC BY 4.0",
        (
            Numbers("PBE/PBE+U", _stability("gga_gga+u")),
            Numbers("r2SCAN", _stability("r2scan")),
            Numbers("PBE/PBE+U/r2SCAN mixed", _stability("gga_gga+u_r2scan")),
        ),
    ),
    "oqmd": Provider(
        "OQMD",
        "CC BY 4.0",
        (
            Numbers(
                "PBE/PBE+U",
                {
                    ("_oqmd_delta_e",): Property.FORMATION_ENERGY_PER_ATOM,
                    ("_oqmd_stability",): Property.ENERGY_ABOVE_HULL,
                    ("_oqmd_band_gap",): Property.BAND_GAP,
                },
            ),
        ),
    ),
    "alexandria": Provider(
        "Alexandria",
        "CC BY 4.0",
        (
            Numbers(
                "",
                {
                    ("_alexandria_formation_energy_per_atom",): Property.FORMATION_ENERGY_PER_ATOM,
                    ("_alexandria_hull_distance",): Property.ENERGY_ABOVE_HULL,
                    ("_alexandria_band_gap",): Property.BAND_GAP,
                },
            ),
        ),
        "_alexandria_xc_functional",
    ),
    "jarvis": Provider(
        "JARVIS-DFT by OPTIMADE",
        jarvis.LICENCE,
        (
            Numbers(
                jarvis.FUNCTIONAL,
                {
                    ("_jarvis_formation_energy_peratom",): Property.FORMATION_ENERGY_PER_ATOM,
                    ("_jarvis_ehull",): Property.ENERGY_ABOVE_HULL,
                    ("_jarvis_optb88vdw_bandgap",): Property.BAND_GAP,
                },
            ),
        ),
    ),
}


def at(attributes: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What lies at a path, None where it ends early."""
    found: Any = attributes
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
