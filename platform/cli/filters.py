"""What a query asks for, as options of the command line; `fermiloop.platform.app.filters` checks what is given."""

from __future__ import annotations

from typing import Annotated

import typer

ElementsOption = Annotated[
    list[str] | None, typer.Option("--elements", help="Elements that must all be there: Pd Ni, or Pd,Ni.")
]
FormulaOption = Annotated[str | None, typer.Option("--formula", help="Formula: NiAl, in any order of the elements.")]
SystemOption = Annotated[str | None, typer.Option("--chemical-system", help="Exactly these elements: Al-Ni.")]
SitesOption = Annotated[str | None, typer.Option("--sites", help="Fewest and most sites of the cell: 1:8, 2: or :4.")]
RangeOption = Annotated[
    list[str] | None,
    typer.Option("--range", help="PROPERTY=LO:HI, open on either side, unit optional: band_gap=0.5:2eV. Repeatable."),
]
CrystalOption = Annotated[str | None, typer.Option("--crystal-system", help="cubic, hexagonal, and so on.")]
DosLikeOption = Annotated[
    str | None,
    typer.Option("--dos-like", help="Most similar DOS first: a material id, a formula, or a file."),
]
MetricOption = Annotated[
    str, typer.Option("--metric", help="How --dos-like compares: cosine, wasserstein (eV) or fingerprint.")
]
WindowOption = Annotated[
    str | None, typer.Option("--window", help="Part that --dos-like compares: LO:HI in eV about the Fermi level: -2:2.")
]
FermiOption = Annotated[
    float | None, typer.Option("--fermi", help="Fermi level in the file of --dos-like, eV, where it names none.")
]
OneSpinOption = Annotated[
    bool, typer.Option("--one-spin", help="The file of --dos-like holds one spin of two alike: double it.")
]
LimitOption = Annotated[int, typer.Option("--limit", help="Maximum number of rows.")]
SpaceGroupOption = Annotated[
    str | None, typer.Option("--space-group", help="Number or symbol of the space group: 225 or Fm-3m.")
]
