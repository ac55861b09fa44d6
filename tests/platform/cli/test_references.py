"""References and hulls from the command line."""

from __future__ import annotations

import pytest

ANALYTIC = ("--engine", "analytic")


def test_elements_are_built_listed_and_shown_as_a_hull(cli, database):
    built = cli("references", "build", *ANALYTIC, "--elements", "Al", "Ni", "--workers", "0", "--json").json()
    assert [(one["formula"], one["state"]) for one in built["outcomes"]] == [("Al", "completed"), ("Ni", "completed")]
    rows = {row["element"]: row for row in cli("references", "list", *ANALYTIC, "--json").json()}
    assert len(rows) > 80
    assert {symbol for symbol, row in rows.items() if row["energy_per_atom"] is not None} == {"Al", "Ni"}
    assert "1 have none: Cu" in cli("references", "list", *ANALYTIC, "--elements", "Al, Cu").out
    shown = cli("hull", "show", *ANALYTIC, "--elements", "Al,Ni", "--json").json()
    assert [(one["formula"], one["energy_above_hull"]) for one in shown] == [("Al", 0.0), ("Ni", 0.0)]
    checks = {check["name"]: check for check in cli("doctor", "--json").json()["checks"]}
    assert checks["references analytic"]["found"] == "2 elements"
    assert "fermiloop references build --engine analytic --elements H He" in checks["references analytic"]["remedy"]


def test_a_hull_without_its_elements_is_answered_with_the_command(cli, database):
    told = cli("hull", "show", *ANALYTIC, "--elements", "Ti,Al", "--settings", "steps=50")
    assert told.code == 2
    command = "fermiloop references build --engine analytic --settings steps=50 --elements Al Ti"
    assert (
        f"Al, Ti has no reference energy by analytic with these settings, so there is no hull; compute it: {command}"
        in told.err
    )


def test_queued_ones_wait(cli, database):
    found = cli("references", "build", *ANALYTIC, "--elements", "Al", "--queue", "--json").json()
    assert [one["state"] for one in found["outcomes"]] == ["waiting"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("references", "build", "--engine", "gpaw", "--elements", "O"), "O2 (reference of O)"),
        (("references", "build", *ANALYTIC, "--elements", "Pu"), "No ground state of Pu is shipped"),
        (("references", "build", *ANALYTIC, "--settings", "fmax", "--elements", "Al"), "write it as cutoff=600"),
        (("references", "build", "--engine", "nobody", "--elements", "Al"), "The engine nobody is not installed here"),
        (("hull", "show", *ANALYTIC, "--elements", "Xx"), "Xx is no element"),
    ],
)
def test_what_cannot_work_is_refused(cli, database, words, told):
    found = cli(*words)
    assert found.code in (1, 2)
    assert told in found.err


def test_the_correction_of_oxygen_wants_oxides(cli, database):
    told = cli("references", "fit-oxygen", *ANALYTIC)
    assert told.code == 2
    assert "0 oxides with a measured enthalpy have a formation energy by analytic" in told.err
