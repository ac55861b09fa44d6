"""A crystal in three dimensions by crystal-toolkit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from crystal_toolkit.components import StructureMoleculeComponent
from dash import html
from dash.development.base_component import Component
from dash_mp_components import CrystalToolkitScene
from pymatgen.analysis.graphs import StructureGraph
from pymatgen.analysis.local_env import MinimumDistanceNN
from pymatgen.core import Structure

from fermiloop.platform.web.parts import facts, number

SIDE: Final = 320  # pixels


def scene(crystal: Structure) -> Component:
    """The crystal to turn with the pointer, its cell in words beside it."""
    # bonds are found here: crystal-toolkit's own call of pymatgen is one that newer ones do not have
    bonded = StructureGraph.from_local_env_strategy(crystal, MinimumDistanceNN())
    drawn = StructureMoleculeComponent(bonded, id="crystal")
    data = _plain(drawn.initial_data["scene"])
    data["contents"] = [part for part in data["contents"] if part["name"] != "axes"]
    # drawn as SVG: it needs no WebGL, which remote desktops and many a virtual machine lack
    view = CrystalToolkitScene(
        data=data,
        settings=dict(drawn.initial_scene_settings) | {"renderer": "svg", "extractAxis": False},
        axisView="HIDDEN",
        sceneSize=SIDE,
        showControls=False,
        showExpandButton=False,
    )
    colours = drawn.initial_data["legend_data"]["colors"]
    legend = html.Ul([html.Li([html.Span("", style={"background": c}), s]) for c, s in colours.items()])
    return html.Div(
        [html.Div(view, className="scene", role="img", **{"aria-label": f"Crystal of {crystal.formula}"}),
         html.Div([legend, cell(crystal)], className="legend")],
        className="crystal",
    )  # fmt: skip


def cell(crystal: Structure) -> Component:
    """Formula and cell."""
    a, b, c = crystal.lattice.abc
    angles = crystal.lattice.angles
    return facts(
        {
            "Cell": crystal.composition.formula,
            "a, b, c (Å)": f"{a:.3f}, {b:.3f}, {c:.3f}",
            "α, β, γ (degree)": ", ".join(f"{angle:.1f}" for angle in angles),
            "Volume (Å³/atom)": number(float(crystal.volume / len(crystal))),
            "Sites": len(crystal),
        }
    )


def _plain(tree: Any) -> Any:
    """The scene in numbers that JSON knows."""
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple | np.ndarray):
        return [_plain(value) for value in tree]
    return tree.item() if isinstance(tree, np.generic) else tree
