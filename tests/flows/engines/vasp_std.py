"""Stands in for VASP: copies genuine outputs into the working folder by what INCAR asks, or fails as it is told.

A program of its own with nothing but the standard library, started by custodian as VASP is. Its environment says where
the outputs lie (``STAND_IN_DATA``: folders by step, or one for all), where each run is noted (``STAND_IN_RUNS``), and
what goes wrong (``STAND_IN_FAULT``: ``STEP:KIND``).
"""

import gzip
import os
import re
import sys
import threading
from pathlib import Path

HERE = Path.cwd()
OSZICAR = """\
       N       E                     dE             d eps       ncg     rms          rms(c)
DAV:   1    -0.100000000000E+02   -0.10000E+02   -0.50000E+02    48   0.100E+02
DAV:   2    -0.108500000000E+02   -0.85000E+00   -0.80000E-02    64   0.100E-01    0.100E-02
   1 F= -.10850000E+02 E0= -.10850000E+02  d E =-.108500E+02  mag=     0.0000
"""


def asked() -> dict[str, str]:
    """Tags of INCAR, in upper case."""
    lines = (line.partition("=") for line in Path("INCAR").read_text().splitlines() if "=" in line)
    return {key.strip().upper(): value.strip() for key, _, value in lines}


def step_of(incar: dict[str, str]) -> str:
    """Which calculation INCAR asks for; two relaxations look alike but for the folder they run in."""
    if incar.get("ICHARG", "") == "11":
        return "dos"
    if int(incar.get("NSW", "0")) > 1:
        return HERE.parent.name if HERE.parent.name in ("relax1", "relax2") else "relax1"
    return "scf"


def give(source: Path) -> None:
    """Genuine outputs, unpacked, and stubs of what is not there."""
    for packed in source.glob("*.gz"):
        Path(packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    Path("OSZICAR").write_text(OSZICAR)
    for name in ("CHGCAR", "WAVECAR"):
        Path(name).write_text("a stub\n")


def spoil(kind: str, step: str) -> None:
    """One fault of VASP or of its machine, once the outputs are there."""
    run = Path("vasprun.xml")
    text = run.read_text()
    if kind == "truncated":
        run.write_text(text[: len(text) // 2])
    elif kind == "unconverged":
        last = text[text.rfind("<calculation>") :].count("<scstep>")
        run.write_text(re.sub(r'(name="NELM">)\s*\d+', rf"\g<1> {last}", text))
    elif kind == "no_curve":
        run.write_text(re.sub(r"<dos>.*?</dos>", "", text, flags=re.DOTALL))
    elif kind == "absurd":
        run.write_text(re.sub(r'(<i name="e_\w+">)[^<]*', r"\g<1>   1422.0", text))
    elif kind == "few_electrons":  # half of the density of states
        total = re.search(r"<total>.*?</total>", text, flags=re.DOTALL)
        assert total
        halved = re.sub(r"<r>\s*(\S+)\s+(\S+)", lambda m: f"<r> {m[1]} {float(m[2]) / 2}", total.group())
        run.write_text(text.replace(total.group(), halved))
    elif kind == "hybrid":
        tags = '<i type="logical" name="LHFCALC"> T </i><i name="HFSCREEN"> 0.2 </i><i name="AEXX"> 0.25 </i>'
        run.write_text(text.replace("</incar>", f"{tags}</incar>", 1))
    elif kind == "stopped":  # as custodian asks for by STOPCAR when the time is nearly up
        out = Path("OUTCAR")
        reached = "reached required accuracy - stopping structural energy minimisation"
        assert reached in out.read_text()
        out.write_text(out.read_text().replace(reached, "soft stop encountered!  aborting job ..."))
    elif kind == "exit":
        Path("CONTCAR").unlink()
        sys.stderr.write(f"forrtl: severe (174): SIGSEGV, segmentation fault occurred in {step}\n")
        sys.exit(174)


def main() -> None:
    """Run once."""
    step = step_of(asked())
    with Path(os.environ["STAND_IN_RUNS"]).open("a") as runs:
        runs.write(f"{step}\n")
    where, _, kind = os.environ.get("STAND_IN_FAULT", "").partition(":")
    data = Path(os.environ["STAND_IN_DATA"])
    if where == step and kind in ("hang", "late"):
        give(data / step)
        if kind == "hang":  # in the middle of its work
            Path("OUTCAR").write_text(Path("OUTCAR").read_text()[:20_000])
            Path("vasprun.xml").unlink()
        Path("begun").touch()
        threading.Event().wait(600)
    give(data / step if (data / step).is_dir() else data)
    print(" running on    4 total cores\n reached required accuracy")
    if where == step:
        spoil(kind, step)


if __name__ == "__main__":
    main()
