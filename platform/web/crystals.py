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
from fermiloop.platform.web.symmetry import analysed, group

SIDE: Final = 320  # pixels
VIEW: Final = (0.45, 0.30, 1.0)  # from where it is first looked at: tilted, so that no atom hides the one behind it
ZOOM: Final = 3.4  # the scene leaves four fifths of its width empty by itself
AWAY: Final = 2.6  # times the largest extent of the cell: how far off the eye is
CORNERS: Final = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
AXES: Final = {"a": "#b3261e", "b": "#0b5d3b", "c": "#005a8d"}  # colour of each lattice vector's arrow


def scene(crystal: Structure) -> Component:
    """The conventional cell to turn with the pointer, its axes and bonds, and the cell in words beside it."""
    shown, number_of_group = conventional(crystal)
    # bonds are found here: crystal-toolkit's own call of pymatgen is one that newer ones do not have
    bonded = StructureGraph.from_local_env_strategy(shown, MinimumDistanceNN())
    drawn = StructureMoleculeComponent(bonded, id="crystal", bonded_sites_outside_unit_cell=False)
    data = _plain(drawn.initial_data["scene"])
    data["contents"] = [part for part in data["contents"] if part["name"] != "axes"] + [axes(shown)]
    # drawn as SVG: it needs no WebGL, which remote desktops and many a virtual machine lack
    view = CrystalToolkitScene(
        data=data,
        settings=dict(drawn.initial_scene_settings) | {"renderer": "svg", "extractAxis": False},
        customCameraState={"position": eye(shown), "zoom": ZOOM},
        axisView="HIDDEN",
        sceneSize=SIDE,
        showControls=False,
        showExpandButton=False,
    )
    colours = drawn.initial_data["legend_data"]["colors"]
    atoms = html.Ul([html.Li([html.Span("", style={"background": c}), s]) for c, s in colours.items()])
    arrows = html.Ul([html.Li([html.Span("", style={"background": c}), name]) for name, c in AXES.items()])
    said = f"Crystal of {crystal.composition.reduced_formula}, conventional cell with axes a, b and c"
    return html.Div(
        [html.Div(view, className="scene", role="img", **{"aria-label": said}),
         html.Div([atoms, arrows, cell(crystal, shown, number_of_group)], className="legend")],
        className="crystal",
    )  # fmt: skip


def conventional(crystal: Structure) -> tuple[Structure, int | None]:
    """The conventional standard cell and its space group; the cell as it is where no symmetry is found."""
    found = analysed(crystal)
    if found is None:
        return crystal, None
    try:
        return found.get_conventional_standard_structure(), int(found.get_space_group_number())
    except Exception:  # noqa: BLE001  (spglib and pymatgen raise what they like; the cell as it is can be shown)
        return crystal, None


def eye(shown: Structure) -> dict[str, float]:
    """Where the first look comes from, Å from the middle of the cell."""
    extent = float(np.ptp(np.array([shown.lattice.get_cartesian_coords(c) for c in CORNERS]), axis=0).max())
    place = np.array(VIEW) / np.linalg.norm(VIEW) * extent * AWAY
    return {axis: float(value) for axis, value in zip("xyz", place, strict=True)}


def axes(shown: Structure) -> dict[str, object]:
    """Arrows along a, b and c, beside the cell."""
    middle = shown.lattice.get_cartesian_coords([0.5, 0.5, 0.5])
    directions = shown.lattice.matrix / np.linalg.norm(shown.lattice.matrix, axis=1, keepdims=True)
    length = 0.4 * float(min(shown.lattice.abc))
    start = -1.5 * length * directions[0] - 0.3 * length * directions[1]
    arrows = []
    for (name, colour), direction in zip(AXES.items(), directions, strict=True):
        end = start + length * direction
        arrows.append(
            {"name": name, "type": "arrows", "visible": True, "color": colour, "radius": 0.09, "headLength": 0.35,
             "headWidth": 0.25, "positionPairs": [[start.tolist(), end.tolist()]], "clickable": False}
        )  # fmt: skip
    return {"name": "axes", "origin": (-middle).tolist(), "visible": True, "contents": arrows}


def cell(crystal: Structure, shown: Structure, group_number: int | None = None) -> Component:
    """Formula, symmetry and cell: the conventional one that is drawn, and how many sites the primitive one has."""
    a, b, c = shown.lattice.abc
    return facts(
        {
            "Space group": group(group_number) or "not found",
            "Conventional cell": shown.composition.formula,
            "a, b, c (Å)": f"{a:.3f}, {b:.3f}, {c:.3f}",
            "α, β, γ (degree)": ", ".join(f"{angle:.1f}" for angle in shown.lattice.angles),
            "Volume (Å³/atom)": number(float(crystal.volume / len(crystal))),
            "Sites of the cell as stored": len(crystal),
        }
    )


def _plain(tree: Any) -> Any:
    """The scene in numbers that JSON knows."""
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple | np.ndarray):
        return [_plain(value) for value in tree]
    return tree.item() if isinstance(tree, np.generic) else tree
