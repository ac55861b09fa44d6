from fermiloop.platform.generators.protocol import Space, Target


def test_each_rule_rejects_with_its_own_reason(tools):
    crystals = [
        tools.build("B1", "Na", "Cl"),
        tools.build("B1", "Na", "Br"),
        tools.build("A1", "Cu"),
        tools.build("L1_2", "Na", "Cl"),
        tools.build("B2", "Cu", "Au"),
    ]
    space = Space(("Cu", "Au", "Na", "Cl"), n_components=(2, 2))
    screened, (tally,) = tools.run(crystals, "composition", space=space, target=Target(exclude_formulas=("Au2Cu2",)))
    assert [s.passed for s in screened] == [True, False, False, False, False]
    assert "Br lies outside" in screened[1].verdicts[0].reason
    assert "1 elements where 2 to 2" in screened[2].verdicts[0].reason
    assert tally.reasons == {"element": 1, "number of elements": 1, "charge balance": 1, "excluded formula": 1}
    assert (tally.n_in, tally.n_out) == (5, 1)
