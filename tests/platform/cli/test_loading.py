"""Loading from other sources, and what was refused, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.platform.store import campaigns
from fermiloop.schemas.vocabulary import CampaignState

Cli = Callable[..., Any]
ATOMS = {"lattice_mat": [[2.9, 0, 0], [0, 2.9, 0], [0, 0, 2.9]], "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
         "elements": ["Ni", "Al"], "cartesian": False}  # fmt: skip


def test_a_jarvis_file_and_its_quarantine(cli: Cli, database: str, tmp_path: Path) -> None:
    path = tmp_path / "jdft.json"
    path.write_text(json.dumps([{"jid": "J-1", "atoms": ATOMS, "ehull": 0.0}, {"jid": "J-2"}, {"jid": "J-3"}]))
    told = cli("db", "load", f"jarvis:{path}", "--json").json()
    assert told == {"loaded": 1, "already": 0, "quarantined": 2}
    rows = cli("db", "quarantine", "jdft.json", "--json").json()
    assert sorted(row["line"] for row in rows) == [2, 3]
    assert cli("db", "quarantine", "--reasons", "--json").json() == [
        {"reason": "no JARVIS record: it has no atoms", "count": 2}
    ]
    assert "no JARVIS record" in cli("db", "quarantine").out
    assert cli("db", "quarantine", "elsewhere", "--json").json() == []


def test_a_table_with_its_columns_and_terms(cli: Cli, database: str, tmp_path: Path) -> None:
    cell = "".join(f"_cell_length_{x} 2.9\n" for x in "abc")
    cell += "".join(f"_cell_angle_{x} 90\n" for x in ("alpha", "beta", "gamma"))
    loop = "loop_\n" + "".join(f"_atom_site_{x}\n" for x in ("type_symbol", "label", "fract_x", "fract_y", "fract_z"))
    cif = f"data_x\n{cell}{loop}Ni Ni1 0 0 0\nAl Al1 0.5 0.5 0.5\n"
    path = tmp_path / "set.csv"
    path.write_text(f'cif,heat\n"{cif}",-0.5\n')
    options = ("--column", "heat=formation_energy_per_atom", "--licence", "MIT", "--functional", "PBE")
    assert cli("db", "load", str(path), *options).out.startswith("1 loaded, 0 there already")
    found = cli("materials", "find", "--range", "formation_energy_per_atom=-0.6:-0.4", "--json").json()
    assert [row["formula"] for row in found] == ["AlNi"]


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("mars",), "is no source: give seed"),
        (("mp", "--elements", "Zz"), "'Zz' is no element"),
        (("mp",), "--chemsys Al-Ni or --limit N"),
        (("mp", "--limit", "3"), "MP_API_KEY"),
        (("seed", "--dos"), "--dos does not go with seed"),
        (("x.csv", "--column", "heat"), "write it as heat_ref="),
        (("optimade:nowhere",), "no address of an OPTIMADE server"),
        (("none.tar.gz",), "There is no file none.tar.gz"),
        (("jobstore:none.yaml",), "There is no file none.yaml"),
    ],
)
def test_mistakes_are_one_sentence(
    cli: Cli, database: str, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], told: str
) -> None:
    monkeypatch.delenv("MP_API_KEY", raising=False)
    found = cli("db", "load", *argv)
    assert (found.code, found.out, len(found.err.strip().splitlines())) == (2, "", 1)
    assert told in found.err


def test_export_names_its_file_and_its_mistakes(
    cli: Cli, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fermiloop.platform.campaign.spec import parse_spec

    monkeypatch.chdir(tmp_path)
    text = ("{name: small, target: {dos: {material: Pd}}, space: {elements: [Ni]}, engine: {name: analytic}, "
            "funnel: {potential: analytic}, generators: [{name: substitution, proposals: 1}], "
            "budget: {rounds: 1, evaluations: 1, per_round: 1}}")  # fmt: skip
    campaigns.create("small", parse_spec(text).as_dict(), text)
    assert "is running; pause it" in cli("campaign", "export", "small").err
    campaigns.set_state("small", CampaignState.CANCELLED)
    assert cli("campaign", "export", "small", "small.zip").code == 2
    told = cli("campaign", "export", "small", "--json").json()
    assert (told["file"], told["campaign"], told["counts"]["campaigns"]) == ("small.tar.gz", "small", 1)
    assert cli("db", "load", "small.tar.gz", "--json").json()["loaded"] == 0
    assert cli("campaign", "export", "small").code == 2
    assert "no campaign nobody" in cli("campaign", "export", "nobody").err
