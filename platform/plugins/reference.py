"""The paper that something comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Reference:
    """A journal article.

    Parameters
    ----------
    key
        Short name of it, such as ``"ren-2022"``.
    authors
        As a citation names them: ``"Ren et al."``.
    title
        May be left out.
    """

    key: str
    authors: str
    journal: str
    volume: str
    pages: str
    year: str
    title: str = ""

    def cited(self) -> str:
        """In one line, as in a text."""
        return f"{self.authors}, {self.journal} {self.volume}, {self.pages}, {self.year}"

    def optimade(self) -> dict[str, object]:
        """As the fields of an OPTIMADE reference."""
        author = {"name": self.authors, "lastname": self.authors.split()[0]}
        told = {name: value for name, value in asdict(self).items() if name not in ("key", "authors") and value}
        return {"authors": [author], "bib_type": "article", **told}
