import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.representations.fingerprint import fingerprint
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.screening.funnel import Known, unique_and_novel
from fermiloop.platform.screening.twins import Register
from fermiloop.platform.screening.verdicts import DUPLICATE, KNOWN, Crystal


def known(name, structure, print_=None):
    stored = fingerprint(structure) if print_ is None else print_
    return Known(name, structure.composition.reduced_formula, stored, structure)


def test_twins_are_named_and_counted(tools):
    b2, b1 = tools.build("B2", "Cu", "Au"), tools.build("B1", "Cu", "Au")
    a1 = tools.build("A1")
    batch = [b2, b1, b2 * (2, 1, 1), a1, tools.build("A1", volume=12.0), tools.build("L1_2", "Cu", "Au")]
    screened, (tally,) = tools.run(batch, "duplicates", known=[known("m-1", a1)])
    assert [s.verdicts[0].reason for s in screened] == [
        "",
        "",
        "duplicate of proposal 0",
        "known as m-1",
        "duplicate of proposal 3",
        "",
    ]
    assert tally.reasons == {DUPLICATE: 2, KNOWN: 1}
    assert unique_and_novel(screened) == (4, 3)


def test_what_never_reached_the_stage_is_neither_unique_nor_novel(tools):
    batch = [tools.build("A1", "Pd"), tools.build("A1")]
    screened, _ = tools.run(batch, "composition", "duplicates")
    assert unique_and_novel(screened) == (1, 1)
    unconverged, _ = tools.run([tools.build("A1")], "relaxation", max_steps=0)
    assert unique_and_novel(unconverged) == (0, 0)


def test_a_fingerprint_of_another_length_is_computed_anew(tools):
    screened, _ = tools.run([tools.build("A1")], "duplicates", known=[known("m-9", tools.build("A1"), [0.0] * 3)])
    assert screened[0].verdicts[0].reason == "known as m-9"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["B1", "B2", "B8_1", "C32", "L1_2", "D0_19"]))
def test_a_small_distortion_is_still_the_same(seed, name):
    crystal = PROTOTYPES[name].build("Cu", "Au", 14.0)
    moved = crystal * (2, 1, 1) if seed % 2 else crystal.copy()
    moved.perturb(0.05)
    assert not verdict_of(crystal, moved).passed


@pytest.mark.parametrize(
    ("first", "second"), [("B1", "B2"), ("B1", "B3"), ("B3", "B4"), ("L1_2", "D0_3"), ("C1", "C32")]
)
def test_prototypes_are_told_apart(first, second):
    crystals = [PROTOTYPES[name].build("Zn", "S", 20.0) for name in (first, second)]
    assert verdict_of(*crystals).passed


def verdict_of(first, second):
    register = Register([])
    register.judge(Crystal(0, first), first, "duplicates")
    return register.judge(Crystal(1, second), second, "duplicates")


def test_swapped_slots_of_a_symmetric_prototype_are_one_crystal():
    assert not verdict_of(PROTOTYPES["B2"].build("Cu", "Au", 14.0), PROTOTYPES["B2"].build("Au", "Cu", 14.0)).passed
    assert np.isfinite(fingerprint(PROTOTYPES["B2"].build("Au", "Cu", 14.0))).all()
