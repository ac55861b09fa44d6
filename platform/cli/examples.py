"""An example or two of every command, at the end of its ``--help``."""

from __future__ import annotations

from typing import Any, Final

# words of a command to what is typed after `fermiloop`; of a benchmark that is not here: see `of`
EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "": ("doctor", "campaign launch examples/pd-like.yaml --workers 2", "serve --open"),
    "reconcile": ("reconcile --dry-run",),
    "doctor": ("doctor", "doctor --start"),
    "version": ("version --json",),
    "bug-report": ("bug-report", "bug-report report.txt"),
    "serve": ("serve --open", "serve --port 8080 --host 0.0.0.0 --allowed-host dos.example.org"),
    "db": ("db init", "db load seed"),
    "db load": ("db load seed", "db load mp --elements Al Ni --dos", "db load crystals/ --source 'my crystals'"),
    "db quarantine": ("db quarantine", "db quarantine crystals.csv --reasons"),
    "db start": ("db start",),
    "db stop": ("db stop",),
    "db status": ("db status --json",),
    "db init": ("db init",),
    "db migrate": ("db migrate --dry-run",),
    "db dump": ("db dump backup",),
    "db restore": ("db restore backup",),
    "materials": ("materials find --elements Pd Ni", "materials find --dos-like Pd --limit 5"),
    "materials find": (
        "materials find --elements Pd Ni --range energy_above_hull=:0.1 --sort energy_above_hull",
        "materials find --dos-like curve.csv --window -2:2",
        "materials find --space-group Fm-3m --columns formula,band_gap --csv",
    ),
    "materials show": ("materials show m-0123456789abcdef",),
    "materials export": ("materials export nickel.csv --elements Ni", "materials export crystals --form poscar"),
    "candidates": ("candidates find --campaign pd-like --sort -score", "candidates explain c-0123456789abcdef"),
    "candidates find": (
        "candidates find --campaign pd-like --stage evaluated --sort -computed_score",
        "candidates find --range predicted_score=0.8: --columns id,formula,predicted_score --json",
    ),
    "candidates export": ("candidates export pd-like.jsonl --campaign pd-like",),
    "candidates show": ("candidates show c-0123456789abcdef --geometry proposed",),
    "candidates explain": ("candidates explain c-0123456789abcdef",),
    "generators": ("generators list", "generators train dos_composer"),
    "generators list": ("generators list",),
    "generators show": ("generators show dos_composer",),
    "generators train": ("generators train dos_composer --preset factorised --seed 1",),
    "generators promote": ("generators promote ckpt-0123456789abcdef",),
    "generators rollback": ("generators rollback dos_composer",),
    "potentials": ("potentials list", "potentials label sevennet --elements Al Ni Pd"),
    "potentials list": ("potentials list",),
    "potentials label": ("potentials label sevennet --elements Al Ni Pd",),
    "references": ("references build --engine chgnet --elements Ba Sr Ti O", "references list --engine gpaw-hard"),
    "references build": (
        "references build --engine gpaw-hard --elements O Mg --workers 2",
        "references build --engine gpaw-hard --settings 'reference_corrections={O: 0.4}' --elements O",
    ),
    "references list": ("references list --engine chgnet",),
    "references fit-oxygen": ("references fit-oxygen --engine gpaw-hard",),
    "hull": ("hull build --elements V,O --engine chgnet", "hull show --elements V,O --engine chgnet"),
    "hull build": ("hull build --elements V,O --engine gpaw-hard --limit 20 --workers 2",),
    "hull show": ("hull show --elements V,O --engine chgnet --json",),
    "campaign": (
        "campaign init --target-dos Pt --to pt.yaml",
        "campaign launch pt.yaml --workers 2",
        "campaign report pt-like",
    ),
    "campaign export": ("campaign export pd-like", "campaign export pd-like pd-like.tar.gz"),
    "campaign init": ("campaign init pt --target-dos Pt --elements Al Ni Cu --to pt.yaml",),
    "campaign validate": ("campaign validate examples/pd-like.yaml",),
    "campaign plan": ("campaign plan examples/pd-like.yaml --workers 4",),
    "campaign launch": (
        "campaign launch examples/pd-like.yaml --workers 2",
        "campaign launch examples/pd-like.yaml --queue",
    ),
    "campaign list": ("campaign list",),
    "campaign show": ("campaign show pd-like",),
    "campaign watch": ("campaign watch pd-like --every 5",),
    "campaign report": ("campaign report pd-like", "campaign report pd-like --html report"),
    "campaign pause": ("campaign pause pd-like",),
    "campaign resume": ("campaign resume pd-like",),
    "campaign cancel": ("campaign cancel pd-like", "campaign cancel pd-like --wait --timeout 3600"),
    "campaign clone": ("campaign clone pd-like pd-like-2 --to pd-like-2.yaml",),
    "campaign replay": ("campaign replay pd-like",),
    "compute": (
        "compute Pt3Ni.cif --engine gpaw",
        "compute crystals/ --engine gpaw --settings cutoff=600 kpoint_density=4 --no-relax --workers 2 --json",
    ),
    "calculations": ("calculations find --state failed", "calculations rerun --error 'ran out of'"),
    "calculations find": ("calculations find --campaign pd-like --error 'did not converge'",),
    "calculations show": ("calculations show calc-0123456789abcdef",),
    "calculations rerun": (
        "calculations rerun calc-0123456789abcdef",
        "calculations rerun --error 'ran out of' --time-limit 7200",
    ),
    "calculations cancel": ("calculations cancel calc-0123456789abcdef", "calculations cancel --all"),
    "calculations ignore": ("calculations ignore --campaign pd-like --error converge",),
    "worker": ("worker run -n 4", "worker list"),
    "worker run": ("worker run -n 4", "worker run --until-idle"),
    "worker list": ("worker list",),
    "worker submit": ("worker submit --queue slurm -n 8 --jobs 2 --walltime 24:00:00 --dry-run",),
    "schedule": ("schedule add nightly --generator dos_composer --cron '0 3 * * *'", "schedule run"),
    "schedule add": (
        "schedule add nightly --generator dos_composer --cron '0 3 * * *' --zone Europe/Berlin",
        "schedule add fresh --generator dos_composer --new-labels 50",
    ),
    "schedule list": ("schedule list",),
    "schedule pause": ("schedule pause nightly",),
    "schedule resume": ("schedule resume nightly",),
    "schedule remove": ("schedule remove nightly",),
    "schedule run": ("schedule run", "schedule run nightly"),
    "schedule history": ("schedule history nightly --limit 10",),
    "bench": ("bench dos --quick", "bench all --quick"),
    "optimade": ("optimade sync", "optimade export pd-like pd-like.jsonl"),
    "optimade sync": ("optimade sync",),
    "optimade export": ("optimade export pd-like pd-like.jsonl",),
    "token": ("token create anna --role launch --days 30", "token list"),
    "token create": ("token create anna --role launch --days 30",),
    "token list": ("token list",),
    "token revoke": ("token revoke anna",),
}


def of(path: tuple[str, ...]) -> tuple[str, ...]:
    """What may be typed to use a command, given by its words; empty where there is no example."""
    if len(path) == 2 and path[0] == "bench":  # one for each entry of the table of benchmarks
        return (f"{' '.join(path)} --quick",)
    return EXAMPLES.get(" ".join(path), ())


def put(command: Any, path: tuple[str, ...] = ()) -> Any:
    """Write the examples of a command, and of those below it, at the end of their help; returns the command."""
    found = of(path)
    if found:
        title = "Examples:" if len(found) > 1 else "Example:"
        command.epilog = "\n\n".join([title, *(f"fermiloop {one}" for one in found)])
    for name, below in getattr(command, "commands", {}).items():
        put(below, (*path, name))
    return command
