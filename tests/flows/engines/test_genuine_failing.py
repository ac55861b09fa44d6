"""Each run that fails has a reason of its own, wherever people look; what it cost is kept, and it is no result."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from dash import Dash

from fermiloop.flows.engines.steps import isolation
from fermiloop.platform.cli.main import main
from fermiloop.platform.store import calculations, labels, lineage, materials
from fermiloop.platform.web import candidate as page
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState, Stage

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:.*unconverged VASP run"),
]

FAILING = {
    ("relax1", "truncated"): "relax1: vasprun.xml is cut off or damaged (Premature end of data",
    ("relax2", "exit"): "relax2: VASP ended with exit code 174; std_err.txt: forrtl: severe (174): SIGSEGV",
    ("relax2", "stopped"): "relax2: VASP was stopped before the relaxation converged, as custodian does when the time",
    (
        "scf",
        "unconverged",
    ): "scf: custodian corrected VASP's input until it gave up; custodian met Unconverged (5 times); "
    "the electronic loop did not converge",
    ("dos", "no_curve"): "dos: vasprun.xml holds no density of states",
    ("scf", "absurd"): "static: its result is refused: its energy is 711 eV per atom, which no crystal has",
    (
        "dos",
        "few_electrons",
    ): "static: the density of states holds 4.00 electrons up to its zero, and the crystal has 8",
    ("scf", "hybrid"): "static: the static calculation ran HSE06, and the density of states PBE",
}
STEP_OF_REASON = {"absurd": "static", "few_electrons": "static", "hybrid": "static"}


@pytest.mark.parametrize(("step", "kind"), FAILING)
def test_a_run_that_fails_says_why_wherever_people_look(
    step: str, kind: str, vasp: Any, select: Any, evaluate: Callable[[str], Candidate], capsys: Any
) -> None:
    vasp.fails(step, kind)
    candidate = evaluate(select())
    assert candidate.stage is Stage.FAILED
    reason = str(candidate.reason)
    assert reason.startswith(FAILING[step, kind])
    done = calculations.get(candidate.calculation)
    assert (done.state, done.error) == (CalculationState.FAILED, reason)
    assert done.core_seconds == isolation.core_seconds(done.id) > 0.0
    assert labels.of_calculations([done.id]) == []
    assert materials.count() == 0

    folder = isolation.step_folder(done.id, STEP_OF_REASON.get(kind, step))
    assert json.loads((folder / isolation.FAILURE).read_text())["reason"] == reason.partition(": ")[2]
    assert "Traceback" in (folder / isolation.FAILURE_LOG).read_text()

    def said(*words: str) -> str:
        capsys.readouterr()
        assert main(list(words)) == 0
        return " ".join(str(capsys.readouterr().out).split())

    start = " ".join(reason.split()[:6])
    assert reason in json.loads(said("calculations", "find", "--json"))[0]["error"]
    assert start.split()[0] in said("calculations", "find")
    assert start in said("calculations", "show", done.id)
    assert "Traceback" in said("calculations", "show", done.id)
    assert start in said("candidates", "explain", candidate.id)
    assert start in said("candidates", "show", candidate.id)
    Dash(__name__)  # links need an app
    assert reason in str(page.lineage(lineage.explain(candidate.id)))


def test_what_did_not_converge_is_no_result_whatever_atomate2_is_set_to(
    vasp: Any, select: Any, evaluate: Callable[[str], Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomate2.vasp.jobs.base.should_stop_children", lambda *_, **__: False)
    monkeypatch.setattr("atomate2.vasp.run.run_vasp.__defaults__", _without_handlers())
    vasp.fails("scf", "unconverged")
    candidate = evaluate(select())
    assert candidate.reason == (
        "scf: VASP did not converge, as its task document says; the electronic loop did not converge"
    )
    assert vasp.runs == ["relax1", "relax2", "scf"]


def _without_handlers() -> tuple[Any, ...]:
    from atomate2.vasp.run import DEFAULT_HANDLERS, run_vasp

    return tuple(() if value is DEFAULT_HANDLERS else value for value in run_vasp.__defaults__ or ())


def test_a_failed_calculation_that_is_run_again_is_paid_only_from_the_step_that_failed(
    vasp: Any, select: Any, evaluate: Callable[[str], Candidate]
) -> None:
    vasp.fails("scf", "exit")
    chosen = select()
    assert evaluate(chosen).stage is Stage.FAILED
    vasp.works()
    calculation = calculations.of_campaign("genuine")[0].id
    isolation.forget_failure(calculation)
    calculations.put_back(calculation, failed_too=True)
    candidate = evaluate(chosen)
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert candidate.reason is None
    assert vasp.runs == ["relax1", "relax2", "scf", "scf", "dos"]
    assert isolation.failure_logs(calculation) == {}
