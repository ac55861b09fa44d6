"""Which columns of a table make the total density of states: spins are summed, integrals and projections left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.curve_files.header import Header
    from fermiloop.platform.representations.curve_files.reading import Wish

    Array = NDArray[np.float64]

CLOSE: Final = 0.04  # of the range: how near a column must come to the integral of another
ROLES: Final = (  # the first that fits
    ("integral", re.compile(r"^i(?:nt|dos)|integr|^cum|^nos\b|^n\(e\)|^tdosi|electrons")),
    ("moment", re.compile(r"^[ms]_?[xyz]\b|^mag")),
    ("up", re.compile(r"up|alpha|majority|spin[ _]?1|↑")),
    ("down", re.compile(r"down|dw|dn\b|_dn|beta|minority|spin[ _]?2|↓")),
    ("total", re.compile(r"^t?dos|tot|^densit|^states|^value|^intens|^n\b|^g\(e\)|^y\b|^1/")),
    ("energy", re.compile(r"^[eω]$|^e\b|^energ|^omega|^x\b|^ev$")),
)


def energies_and_total(columns: Array, header: Header, wish: Wish) -> tuple[Array, Array, tuple[str, ...]]:
    """Energies and total density of states of a table, (n,) each, and what is to be said of it.

    Parameters
    ----------
    columns
        (n, k) numbers; the first column is the energy where no other is named so.
    header
        What the heading says.
    wish
        What the person says.

    Raises
    ------
    InputError
        If the columns cannot be told apart, or there is one spin alone.
    """
    n = columns.shape[1]
    roles = next((found for names in header.names if (found := _roles(names, n))), None)
    if roles is None:
        roles = _roles_of_content(columns)
    at = roles.index("energy")
    total, said = _total(columns, roles, wish)
    return columns[:, at], total, said


def _total(columns: Array, roles: Sequence[str], wish: Wish) -> tuple[Array, tuple[str, ...]]:
    n = columns.shape[1]
    values = {role: [columns[:, i] for i, one in enumerate(roles) if one == role] for role in set(roles)}
    said = []
    if values.get("integral"):
        said.append("The integrated density of states was left out.")
    if values.get("moment"):
        said.append("The magnetisation of a spin-orbit calculation was left out: it is no spin channel.")
    if values.get("part"):
        said.append("Projected densities of states were left out: they are part of the total.")
    if len(values.get("total", [])) == 1:
        return _one(values["total"][0], wish, said, total=True)
    up, down = values.get("up", []), values.get("down", [])
    if len(up) == len(down) == 1:
        _check_spins(up[0], down[0])
        return np.abs(up[0]) + np.abs(down[0]), (*said, "Two spins were summed.")
    if len(up) + len(down) == 1:
        return _one((up or down)[0], wish, said, total=False)
    raise InputError(
        f"The table has {n} columns that cannot be told apart; name them energy, total or up and down in a heading."
    )


def _one(values: Array, wish: Wish, said: Sequence[str], *, total: bool) -> tuple[Array, tuple[str, ...]]:
    """The values of a single column, doubled where it is one spin and the person asked for it."""
    negative = bool((values <= 0).all() and (values < 0).any())
    if total and not negative:
        return values, tuple(said)
    if not wish.one_spin:
        raise InputError(
            "The file holds one spin alone; give both, or say that the other is alike (one_spin: true, --one-spin)."
        )
    return 2.0 * np.abs(values), (*said, "One spin was doubled, as asked.")


def _check_spins(up: Array, down: Array) -> None:
    for name, values in (("up", up), ("down", down)):
        if (values > 1e-3 * np.abs(values).max()).any() and (values < -1e-3 * np.abs(values).max()).any():
            raise InputError(f"The column of spin {name} is positive and negative, which no density of states is.")


def _roles(names: Sequence[str], n: int) -> list[str] | None:
    """Role of each column by its name; None where the names are not those of the columns."""
    if len(names) != n:
        return None
    roles = [next((role for role, pattern in ROLES if pattern.search(name)), "part") for name in names]
    if "energy" not in roles and roles[0] == "part":
        roles[0] = "energy"
    if roles.count("energy") != 1 or not {"total", "up", "down"} & set(roles):
        return None
    if roles.count("up") > 1 or roles.count("down") > 1:
        # spins of several parts, s(up) p(up): none of them is the total
        roles = [role if role in ("energy", "integral", "total") else "part" for role in roles]
    return roles


def _roles_of_content(columns: Array) -> list[str]:
    """Role of each column by its numbers."""
    n = columns.shape[1]
    if n == 2:
        return ["energy", "total"]
    integrals = [i for i in range(2, n) if _is_integral(columns, i)]
    rest = [i for i in range(1, n) if i not in integrals]
    roles = ["part"] * n
    roles[0] = "energy"
    for i in integrals:
        roles[i] = "integral"
    if len(rest) == 1:
        roles[rest[0]] = "total"
    elif len(rest) == 2:
        first, second = columns[:, rest[0]], columns[:, rest[1]]
        mirrored = bool((second <= 0).all() and (second < 0).any() and first.min() >= 0)
        of_both = any(_follows(columns[:, 0], first + second, columns[:, i]) for i in integrals)
        if mirrored or of_both or np.array_equal(first, second):
            roles[rest[0]], roles[rest[1]] = "up", "down"
    return roles


def _is_integral(columns: Array, i: int) -> bool:
    """Whether a column is the integral of one before it, or of all of them together."""
    before = np.abs(columns[:, 1:i])
    return any(_follows(columns[:, 0], density, columns[:, i]) for density in (*before.T, before.sum(axis=1)))


def _follows(x: Array, density: Array, candidate: Array) -> bool:
    """Whether a column rises, or falls, as the integral of a density does, whatever it begins with."""
    if not (np.isfinite(candidate).all() and np.isfinite(density).all()):
        return False
    steps = np.diff(candidate) * (1 if candidate[-1] >= candidate[0] else -1)
    grown = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.abs(np.diff(x)))])
    reach = float(np.ptp(candidate))
    if reach == 0 or grown[-1] <= 0 or (steps < -1e-3 * reach).any():
        return False
    risen = np.abs(candidate - candidate[0]) / reach
    return bool(np.abs(risen - grown / grown[-1]).max() < CLOSE)
