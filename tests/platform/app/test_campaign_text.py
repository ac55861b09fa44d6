"""What a campaign that comes over the network may not do: run programs on the workers."""

from __future__ import annotations

import pytest

from fermiloop.platform.app.campaign_text import check_engine, read
from fermiloop.platform.errors import SpecError
from fermiloop.platform.settings import settings

TEXT = """
name: x
target: {dos: {material: Pd}}
space: {elements: [Al, Ni]}
generators: [{name: substitution, proposals: 3}, {name: command, proposals: 3, options: {sample: [id]}}]
budget: {rounds: 1, evaluations: 1, per_round: 1}
"""


def test_a_program_is_refused_over_the_network_and_allowed_by_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError, match="FERMILOOP_ALLOW_COMMANDS"):
        read(TEXT)
    with pytest.raises(SpecError, match="FERMILOOP_ALLOW_COMMANDS"):
        read(TEXT.replace("name: command,", '"name": "com\\u006dand",'))
    assert (
        read(TEXT.replace("name: command, proposals: 3, options: {sample: [id]}", "name: ftcp, proposals: 1")).name
        == "x"
    )
    monkeypatch.setenv("FERMILOOP_ALLOW_COMMANDS", "true")
    settings.cache_clear()
    assert read(TEXT).generators[1].name == "command"


def test_code_of_an_engine_is_refused_over_the_network_and_allowed_by_a_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = """
name: x
target: {properties: [{name: bulk_modulus, at_least: 1.0}]}
space: {elements: [Al, Ni]}
generators: [{name: substitution, proposals: 3}]
engine: {name: flow, settings: {maker: "os:system", outputs: {bulk_modulus: x}}}
budget: {rounds: 1, evaluations: 1, per_round: 1}
"""
    with pytest.raises(SpecError, match=r"names a program to run \(the engine flow\).*FERMILOOP_ALLOW_COMMANDS"):
        read(text)
    monkeypatch.setenv("FERMILOOP_ALLOW_COMMANDS", "true")
    settings.cache_clear()
    assert read(text).engine.name == "flow"


@pytest.mark.parametrize(
    ("generator", "engine", "where"),
    [
        ("{name: pool, proposals: 3, options: {file: /etc/passwd}}", "{name: gpaw}", "generators.options.file"),
        ("{name: pool, proposals: 3}", "{name: recorded, settings: {file: /etc/passwd}}", "engine.settings.file"),
    ],
)
def test_a_file_of_the_server_is_refused_over_the_network_and_allowed_by_a_setting(
    monkeypatch: pytest.MonkeyPatch, generator: str, engine: str, where: str
) -> None:
    text = f"""
name: x
target: {{dos: {{material: Pd}}}}
space: {{elements: [Al, Ni]}}
generators: [{generator}]
engine: {engine}
budget: {{rounds: 1, evaluations: 1, per_round: 1}}
"""
    with pytest.raises(SpecError, match=rf"a file of this machine \({where}\).*FERMILOOP_ALLOW_COMMANDS"):
        read(text)
    assert read(text.replace("/etc/passwd", "''").replace("file: ''", "")).name == "x"
    monkeypatch.setenv("FERMILOOP_ALLOW_COMMANDS", "true")
    settings.cache_clear()
    assert read(text).name == "x"


def test_an_engine_alone_names_no_file_of_the_server_either() -> None:
    with pytest.raises(SpecError, match=r"engine\.settings\.file"):
        check_engine("recorded", {"file": "/etc/passwd"})
    check_engine("recorded", {})
    check_engine("gpaw", {"cutoff": 500})
