"""Which exchange-correlation functional a set of VASP's parameters asks for, and which Hubbard U.

Takes an INCAR, the ``parameters`` of a vasprun.xml, or the same out of a task document: tags in any case, numbers and
logicals as such or as text. A value that is not known is kept in the name, never taken for a plain GGA.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fermiloop.platform.errors import InputError

NOTHING: Final = frozenset({"", "--", "-", "NONE", "NULL", "F", "FALSE", ".F.", ".FALSE.", "N", "NO"})
YES: Final = frozenset({"T", "TRUE", ".T.", ".TRUE.", "Y", "YES", "1"})
PBE, LDA, PW91, B3LYP = "PBE", "LDA", "PW91", "B3LYP"

GGA: Final = {
    "PE": PBE, "PS": "PBEsol", "RP": "RPBE", "RE": "revPBE", "91": PW91, "AM": "AM05", "BF": "BEEF", "CX": "cx",
    "OR": "optPBE", "BO": "optB88", "MK": "optB86b", "ML": "PW86R", "B3": B3LYP, "B5": "B3LYP (VWN5)",
    "CA": LDA, "PZ": LDA, "VW": "LDA (VWN5)", "HL": "LDA (Hedin-Lundqvist)", "WI": "LDA (Wigner)",
}  # fmt: skip
META_GGA: Final = {
    "SCAN": "SCAN", "RSCAN": "rSCAN", "R2SCAN": "r2SCAN", "SCANL": "SCAN-L", "RSCANL": "rSCAN-L", "R2SCANL": "r2SCAN-L",
    "TPSS": "TPSS", "RTPSS": "revTPSS", "M06L": "M06-L", "MBJ": "mBJ", "MBJL": "mBJ", "LMBJ": "local mBJ",
    "MS0": "MS0", "MS1": "MS1", "MS2": "MS2", "OFR2": "OFR2", "TASK": "TASK", "LAK": "LAK", "HLE17": "HLE17",
}  # fmt: skip
CUT_SHORT: Final = 5  # characters of METAGGA that vasprun.xml keeps
NONLOCAL: Final = {
    "revPBE": "vdW-DF", "optPBE": "optPBE-vdW", "optB88": "optB88-vdW", "optB86b": "optB86b-vdW",
    "PW86R": "vdW-DF2", "cx": "vdW-DF-cx",
}  # fmt: skip
DISPERSION: Final = {
    1: "D2", 10: "D2", 11: "D3", 12: "D3(BJ)", 13: "D4", 14: "libMBD", 2: "TS", 20: "TS", 21: "TS-HI", 202: "MBD",
    263: "MBD-FI", 3: "ULG", 4: "dDsC",
}  # fmt: skip
SECOND_VDW_DF: Final = -1.8867  # ZAB_VDW
REVISED_DF2: Final = 0.711357  # PARAM2 of optB86b in rev-vdW-DF2
HALF_OF_LAST: Final = 5e-3
POTCAR_TYPES: Final = {"PBE": PBE, "GGA": PW91, "PW91": PW91, "91": PW91, "PE": PBE, "LDA": LDA, "CA": LDA, "PAW": LDA}


def functional_of(parameters: Mapping[str, Any], potcar: str = "PBE") -> str:
    """Name of the functional with its dispersion, as ``PBE``, ``r2SCAN``, ``HSE06``, ``PBE-D3(BJ)``, ``optB86b-vdW``.

    A Hubbard U is no part of the name; see `hubbard_of`.

    Parameters
    ----------
    parameters
        INCAR, or ``parameters`` of a vasprun.xml.
    potcar
        What decides where no GGA is asked for: name of a POTCAR set (``PBE_54``), title of a POTCAR (``PAW_PBE Fe
        06Sep2000``), or its LEXCH.
    """
    tags = {str(key).strip().upper(): value for key, value in parameters.items()}
    name = _local(tags, potcar)
    if _logical(tags.get("LHFCALC")):
        name = _hybrid(tags, name)
    elif name.startswith(B3LYP):  # its local part alone
        name = f"GGA={_text(tags['GGA'])}"
    if _logical(tags.get("LUSE_VDW")) or _number(tags, "IVDW_NL", 0.0) > 0.0:
        name = _nonlocal(tags, name)
    name += _dispersion(tags)
    algorithm = _text(tags.get("ALGO"))
    if any(word in algorithm for word in ("GW", "ACFDT", "RPA", "BSE")):
        return f"{algorithm}@{name}"
    return name


def hubbard_of(parameters: Mapping[str, Any], symbols: Sequence[str]) -> dict[str, float]:
    """Effective Hubbard U (U - J) by element in eV; empty without LDAU, elements without a U left out.

    Parameters
    ----------
    parameters
        INCAR, or ``parameters`` of a vasprun.xml with the LDAU tags of its INCAR.
    symbols
        Element or POTCAR symbol of each species of POSCAR, in its order.

    Raises
    ------
    InputError
        If there are not as many values as species, or one element has two.
    """
    tags = {str(key).strip().upper(): value for key, value in parameters.items()}
    if not _logical(tags.get("LDAU")):
        return {}
    elements = [symbol.partition("_")[0].strip() for symbol in symbols]
    us = _by_species("LDAUU", tags.get("LDAUU"), elements)
    js = _by_species("LDAUJ", tags.get("LDAUJ"), elements)
    found: dict[str, float] = {}
    for element, u, j in zip(elements, us, js, strict=True):
        value = round(u - j, 6)
        if found.setdefault(element, value) != value:
            raise InputError(f"{element} has a Hubbard U of {found[element]:g} and of {value:g} eV; give it one.")
    return {element: value for element, value in found.items() if value}


def _local(tags: Mapping[str, Any], potcar: str) -> str:
    if mixed := _text(tags.get("XC")):
        return f"XC={mixed}"
    meta = _text(tags.get("METAGGA"))
    if meta and meta not in NOTHING:
        return _meta_gga(meta, tags)
    if _logical(tags.get("LMETAGGA")):
        return "an unnamed meta-GGA"
    asked = _text(tags.get("GGA"))
    if asked in NOTHING:
        return _of_potcar(potcar)
    return f"libxc {_libxc(tags)}" if asked in {"LIBXC", "LI"} else GGA.get(asked, f"GGA={asked}")


def _meta_gga(asked: str, tags: Mapping[str, Any]) -> str:
    if asked in {"LIBXC", "LIBX", "LI"}:
        return f"libxc {_libxc(tags)}"
    if asked in META_GGA:
        return META_GGA[asked]
    whole = [name for name in META_GGA if len(asked) == CUT_SHORT and name.startswith(asked)]
    # R2SCA begins R2SCANL too, which is rare and whose six letters are cut to the same five
    return META_GGA[min(whole, key=len)] if whole else f"METAGGA={asked}"


def _of_potcar(potcar: str) -> str:
    word = re.split(r"[\s.]", potcar.strip().upper())[0]
    parts = [part for part in re.split(r"[_-]", word) if part not in {"PAW", "US", "USPP"}] or ["PAW"]
    return POTCAR_TYPES.get(parts[0], f"that of POTCAR {potcar.strip()}" if potcar.strip() else "not known")


def _hybrid(tags: Mapping[str, Any], base: str) -> str:
    exact, screening = _number(tags, "AEXX", 0.25), _number(tags, "HFSCREEN", 0.0)
    if _is_b3lyp(tags, base):
        return base if base.startswith(B3LYP) else B3LYP
    for tag, name in (("LRHFCALC", "range-separated"), ("LMODELHF", "dielectric-dependent"), ("LTHOMAS", "screened")):
        if _logical(tags.get(tag)):
            return f"{name} hybrid of {base} (AEXX={exact:g}, HFSCREEN={screening:g})"
    if exact == 1.0 and screening == 0.0 and not _number(tags, "AGGAC", 0.0) and not _number(tags, "ALDAC", 0.0):
        return "HF"
    name = _hybrid_name(base, screening)
    notes = [] if abs(exact - 0.25) < HALF_OF_LAST else [f"AEXX={exact:g}"]
    notes += [f"HFSCREEN={screening:g}"] if name.startswith("screened") else []
    return f"{name} ({', '.join(notes)})" if notes else name


def _hybrid_name(base: str, screening: float) -> str:
    if screening == 0.0:
        return f"{base}0"
    if abs(screening - 0.2) <= 0.01:
        return {PBE: "HSE06", "PBEsol": "HSEsol"}.get(base, f"screened hybrid of {base}")
    if abs(screening - 0.3) <= HALF_OF_LAST:
        return {PBE: "HSE03"}.get(base, f"screened hybrid of {base}")
    return f"screened hybrid of {base}"


def _is_b3lyp(tags: Mapping[str, Any], base: str) -> bool:
    if base.startswith(B3LYP):
        return True
    wanted = {"AEXX": 0.2, "AGGAX": 0.72, "AGGAC": 0.81, "ALDAC": 0.19}
    return all(tag in tags and abs(_number(tags, tag, 0.0) - value) < HALF_OF_LAST for tag, value in wanted.items())


def _nonlocal(tags: Mapping[str, Any], base: str) -> str:
    if base in META_GGA.values() or _number(tags, "IVDW_NL", 0.0) == 2.0:
        return "rVV10" if base == "PW86R" else f"{base}+rVV10"
    second = abs(_number(tags, "ZAB_VDW", 0.0) - SECOND_VDW_DF) < 1e-3
    if base == "optB86b" and (second or abs(_number(tags, "PARAM2", 1.0) - REVISED_DF2) < 1e-3):
        return "rev-vdW-DF2"
    return NONLOCAL.get(base, f"{base}+vdW-DF{'2' if second else ''}")


def _dispersion(tags: Mapping[str, Any]) -> str:
    code = int(_number(tags, "IVDW", 0.0)) or int(_logical(tags.get("LVDW")))
    return f"-{DISPERSION.get(code, f'IVDW={code}')}" if code else ""


def _libxc(tags: Mapping[str, Any]) -> str:
    return "+".join(_text(tags[tag]) for tag in ("LIBXC1", "LIBXC2") if tag in tags) or "functional"


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(getattr(value, "value", value)).strip().strip("'\"").upper()


def _logical(value: Any) -> bool:
    if isinstance(value, bool | int | float):
        return bool(value)
    return _text(value) in YES


def _number(tags: Mapping[str, Any], tag: str, default: float) -> float:
    value = tags.get(tag)
    if value is None or isinstance(value, bool) or _text(value) in NOTHING:
        return default
    try:
        return float(str(value).strip().split()[0].upper().replace("D", "E"))
    except ValueError:
        raise InputError(f"The tag {tag} is {value!r}, which is no number.") from None


def _by_species(tag: str, given: Any, elements: Sequence[str]) -> list[float]:
    """Values of an LDAU tag by species: a list, VASP's text with ``2*0.0``, or a table by element."""
    if given is None:
        return [0.0] * len(elements)
    if isinstance(given, Mapping):
        return [float(given.get(element) or 0.0) for element in elements]
    try:
        values = [float(x) for word in _words(given) for x in _repeated(str(word))]
    except ValueError:
        raise InputError(f"{tag} is {given!r}, which are no numbers.") from None
    if not any(values):
        return [0.0] * len(elements)
    if len(values) != len(elements):
        counts = f"{len(values)} values for {len(elements)} species ({', '.join(elements)})"
        raise InputError(f"{tag} has {counts}; give one for each.")
    return values


def _words(given: Any) -> Sequence[Any]:
    if isinstance(given, str):
        return given.replace(",", " ").split()
    return list(given) if isinstance(given, Sequence) else [given]


def _repeated(word: str) -> list[str]:
    count, star, value = word.partition("*")
    return [value] * int(count) if star else [word]
