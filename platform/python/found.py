"""What a search gives: a collection of entries that becomes a table, crystals, or densities of states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, overload

if TYPE_CHECKING:
    import pandas as pd
    from pymatgen.core import Structure
    from pymatgen.electronic_structure.dos import Dos

    from fermiloop.platform.app.rows import Row


class Entry(Mapping[str, object]):
    """One material or candidate: a mapping of its values by name, with its crystal and its curve.

    Attributes
    ----------
    id : str
        Its id in the store.
    """

    def __init__(self, row: Row, crystal: Callable[[str], Structure], curve: Callable[[str], Dos]) -> None:
        self._row, self._crystal, self._curve = row, crystal, curve
        self.id = str(row["id"])

    def __getitem__(self, name: str) -> object:
        return self._row[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.id} {self._row.get('formula')}>"

    def structure(self) -> Structure:
        """Its crystal."""
        return self._crystal(self.id)

    def dos(self) -> Dos:
        """Its density of states: energies in eV, densities in states/eV/cell, spins summed, zero where the store's is.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        return self._curve(self.id)


E = TypeVar("E", bound=Entry)


class Found(Sequence[E], Generic[E]):
    """Entries in the order in which they were found."""

    def __init__(self, entries: Sequence[E], title: str, columns: Sequence[str] = ()) -> None:
        self._entries, self._title, self._columns = tuple(entries), title, tuple(columns)

    @overload
    def __getitem__(self, place: int) -> E: ...
    @overload
    def __getitem__(self, place: slice) -> Found[E]: ...
    def __getitem__(self, place: int | slice) -> E | Found[E]:
        if isinstance(place, slice):
            return type(self)(self._entries[place], self._title, self._columns)
        return self._entries[place]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        formulas = ", ".join(str(one.get("formula")) for one in self._entries[:5])
        more = ", …" if len(self) > 5 else ""
        return f"<{len(self)} {self._title}: {formulas}{more}>" if self._entries else f"<no {self._title}>"

    def _repr_html_(self) -> str:
        """As notebooks show it."""
        return str(self.to_dataframe()._repr_html_())

    @property
    def ids(self) -> list[str]:
        """Ids, in order."""
        return [one.id for one in self._entries]

    def to_dataframe(self) -> pd.DataFrame:
        """A table with one row an entry, the id as index."""
        import pandas as pd

        rows = [dict(one) for one in self._entries]
        return pd.DataFrame(rows, columns=None if rows else ["id", *self._columns]).set_index("id")

    def structures(self) -> list[Structure]:
        """Crystals, in order."""
        return [one.structure() for one in self._entries]

    def dos(self) -> dict[str, Dos]:
        """Densities of states by id, of those entries that have one."""
        from fermiloop.platform.errors import NotFoundError

        found = {}
        for one in self._entries:
            try:
                found[one.id] = one.dos()
            except NotFoundError:
                continue
        return found
