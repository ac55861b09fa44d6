"""The sets of matbench: which property the one column beside the structures holds, in which unit, whose it is.

https://matbench.materialsproject.org; Dunn et al., npj Computational Materials 6, 138 (2020).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fermiloop.db_init.importers.entries import UNKNOWN
from fermiloop.db_init.importers.numbers import number, value_of
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Property

NAME: Final = re.compile(r"matbench_[a-z0-9_]+")


@dataclass(frozen=True)
class Dataset:
    """One set.

    Parameters
    ----------
    name
        Of the set.
    column
        Its column of numbers; None where that is no property that is kept.
    kind
        The property.
    provenance
        Source, licence and functional.
    logarithmic
        Whether the numbers are decimal logarithms.
    whole_cell
        Whether they are of the cell, where the property is of an atom.
    """

    name: str
    column: str | None
    kind: Property | None
    provenance: tuple[str, str, str]
    logarithmic: bool = False
    whole_cell: bool = False

    def numbers(self, row: Mapping[str, Any], n_sites: int, method: Method) -> Iterator[tuple[str, float, Method]]:
        """The number of a row, in the unit of its property.

        Raises
        ------
        InputError
            If it is no number, or one that no crystal has.
        """
        if self.column is None or self.kind is None:
            return
        value = number(row.get(self.column), self.column)
        if value is not None:
            value = 10**value if self.logarithmic else value / n_sites if self.whole_cell else value
            found = value_of(self.kind, value, self.column)
            if found is not None:
                yield self.kind, found, method


MATERIALS_PROJECT: Final = ("Materials Project by matbench", "CC BY 4.0", "PBE/PBE+U")
DATASETS: Final = {
    one.name: one
    for one in (
        Dataset("matbench_mp_e_form", "e_form", Property.FORMATION_ENERGY_PER_ATOM, MATERIALS_PROJECT),
        Dataset("matbench_mp_gap", "gap pbe", Property.BAND_GAP, MATERIALS_PROJECT),
        Dataset("matbench_log_kvrh", "log10(K_VRH)", Property.BULK_MODULUS, MATERIALS_PROJECT, logarithmic=True),
        Dataset("matbench_log_gvrh", "log10(G_VRH)", Property.SHEAR_MODULUS, MATERIALS_PROJECT, logarithmic=True),
        Dataset(
            "matbench_perovskites", "e_form", Property.FORMATION_ENERGY_PER_ATOM,
            ("Castelli by matbench", UNKNOWN, "RPBE"), whole_cell=True,
        ),
        Dataset("matbench_jdft2d", None, None, ("JARVIS-DFT by matbench", UNKNOWN, "OptB88vdW")),
        Dataset("matbench_phonons", None, None, MATERIALS_PROJECT),
        Dataset("matbench_dielectric", None, None, MATERIALS_PROJECT),
        Dataset("matbench_mp_is_metal", None, None, MATERIALS_PROJECT),
    )
}  # fmt: skip


def dataset_of(name: str, columns: list[str]) -> Dataset | None:
    """The set that a file is by its name, where its columns agree."""
    match = NAME.search(name.lower())
    found = DATASETS.get(match[0].removesuffix("_json")) if match else None
    return found if found is not None and (found.column is None or found.column in columns) else None
