"""Potentials from the command line."""

from __future__ import annotations

from fermiloop.platform.plugins.potentials import POTENTIALS


def test_list_says_what_is_installed_and_how_the_rest_is(cli):
    rows = {row["name"]: row for row in cli("potentials", "list", "--json").json()}
    assert list(rows) == list(POTENTIALS)
    assert (rows["chgnet"]["installed"], rows["chgnet"]["remedy"]) == (True, "")
    assert rows["chgnet"]["found"].startswith("chgnet ")
    assert rows["analytic"]["found"] == "built in"
    for name, row in rows.items():
        assert bool(row["remedy"]) == (not row["installed"]), name
    checks = {check["name"]: check for check in cli("doctor", "--no-start", "--json").json()["checks"]}
    assert all(checks[f"potential {name}"]["ok"] == rows[name]["installed"] for name in rows)


def test_label_counts_what_it_computed_and_what_was_there(cli, database):
    from fermiloop.platform.representations.prototypes import PROTOTYPES
    from fermiloop.platform.store import materials
    from fermiloop.schemas.vocabulary import Origin

    materials.save(PROTOTYPES["A1"].build("Al", None, 14.0), origin=Origin.SEED, source={"name": "test"})
    first = cli("potentials", "label", "analytic", "--elements", "Al", "Ni", "--json").json()
    assert first == {"materials": 2, "known": 0, "computed": 2, "failed": 0}  # nickel as it is shipped
    assert "2 had one" in cli("potentials", "label", "analytic", "--elements", "Al,Ni").out


def test_unknown_names_and_elements_are_refused(cli):
    wrong = cli("potentials", "label", "vasp", "--elements", "Al")
    assert (wrong.code, "choose one of chgnet" in wrong.err) == (2, True)
    assert "Xx is no element" in cli("potentials", "label", "analytic", "--elements", "Xx").err
