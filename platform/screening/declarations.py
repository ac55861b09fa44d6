"""What the stages of the funnel are; read without their code.

Each names those that it follows, so that a stage of an installed package finds its place among them.
"""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.stages import StageDeclaration

ROOM: Final = "fermiloop.platform.screening"

COMPOSITION: Final = StageDeclaration(
    "composition",
    "inside the space that was asked for, and neutral or an alloy",
    load=f"{ROOM}.composition:check_composition",
    usual=True,
)
RULES: Final = StageDeclaration(  # not usual: the stage of compositions asks for both rules
    "rules",
    "charge balance, and cations less electronegative than anions",
    load=f"{ROOM}.rules:check_rules",
    after=("composition",),
)
GEOMETRY: Final = StageDeclaration(
    "geometry",
    "atoms apart, a volume that a solid may have, a cell of the size and system asked for",
    load=f"{ROOM}.geometry:check_geometry",
    after=("composition", "rules"),
    usual=True,
)
DUPLICATES: Final = StageDeclaration(
    "duplicates",
    "neither known nor proposed twice",
    load=f"{ROOM}.batch_stages:duplicates",
    batch=True,
    after=("composition", "rules", "geometry"),
    usual=True,
    finds_twins=True,
)
SYNTHESIZABILITY: Final = (
    StageDeclaration(  # not usual: what is well studied is in the ICSD, and a target may lie beyond
        "synthesizability",
        "likely to be one that can be made, by its composition, as crystals of the ICSD are",
        load=f"{ROOM}.synthesizability:judge_synthesizability",
        options=f"{ROOM}.options:SynthesizabilityStage",
        batch=True,
        after=("composition", "rules", "geometry", "duplicates"),
        before=("relaxation", "hull"),
    )
)
RELAXATION: Final = StageDeclaration(
    "relaxation",
    "relaxed by the cheap potential to a sound and new crystal",
    load=f"{ROOM}.batch_stages:relaxation",
    options=f"{ROOM}.options:RelaxationStageOptions",
    batch=True,
    after=("composition", "rules", "geometry", "duplicates"),
    usual=True,
    by_potential=True,
    finds_twins=True,
)
HULL: Final = StageDeclaration(
    "hull",
    "not too far above the hull of the references by the cheap potential",
    load=f"{ROOM}.batch_stages:hull",
    batch=True,
    after=("composition", "rules", "geometry", "duplicates"),
    needs=("relaxation",),
    because="only relaxed crystals have a hull distance",
    usual=True,
    by_potential=True,
    unit="eV/atom",
)
TARGET: Final = StageDeclaration(
    "target",
    "what is predicted of all that the target asks for; rejects nothing",
    load=f"{ROOM}.batch_stages:target",
    batch=True,
    usual=True,
)
