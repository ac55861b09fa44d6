"""What the importers take; read without their code. Sources are shown to them in this order."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.importers import ImporterDeclaration

SOURCES: Final = "fermiloop.db_init.importers.sources"
PACKED: Final = r"(?:\.(?:gz|bz2|xz|lzma))?"
VASPRUN: Final = rf".*vasprun[^/]*\.xml(?:\.[A-Za-z]*\d*)?{PACKED}"
OF_FILES: Final = frozenset({"licence", "source", "functional", "columns"})

SEED: Final = ImporterDeclaration("seed", "the shipped library", f"{SOURCES}:shipped", "()seed", "seed")
MATERIALS_PROJECT: Final = ImporterDeclaration(
    "mp",
    "the Materials Project, with a key",
    f"{SOURCES}:materials_project",
    "()mp",
    "mp",
    frozenset({"elements", "chemsys", "limit", "dos"}),
)
OPTIMADE: Final = ImporterDeclaration(
    "optimade",
    "any OPTIMADE provider",
    "fermiloop.db_init.importers.optimade:load",
    "optimade:(.*)",
    "optimade:URL",
    frozenset({"filter", "limit", "licence", "source"}),
)
JARVIS: Final = ImporterDeclaration(
    "jarvis", "a file of JARVIS", f"{SOURCES}:of_jarvis", "jarvis:(.*)", "jarvis:FILE", frozenset({"licence"})
)
JARVIS_PHONONS: Final = ImporterDeclaration(
    "jarvis_phonons",
    "phonon densities of states of JARVIS",
    f"{SOURCES}:phonons_of_jarvis",
    "jarvis-phonons:(.*)",
    "jarvis-phonons:FILE",
    frozenset({"licence"}),
)
REFRACTIVE_INDEX: Final = ImporterDeclaration(
    "refractive_index",
    "absorption from measured refractive indices, of crystals that are stored",
    f"{SOURCES}:refractive_indices",
    "refractiveindex:(.*)",
    "refractiveindex:FILE",
    frozenset({"licence"}),
)
JOBSTORE: Final = ImporterDeclaration(
    "jobstore",
    "tasks of atomate2",
    "fermiloop.db_init.importers.jobstore:load",
    "jobstore:(.*)",
    "jobstore:FILE",
    frozenset({"limit", "licence", "source"}),
)
CAMPAIGN: Final = ImporterDeclaration(
    "campaign",
    "the bundle of a campaign",
    f"{SOURCES}:campaign",
    r"(.*\.(?:tar\.gz|tgz))",
    "the .tar.gz of a campaign",
    is_file=True,
)
EXCHANGE: Final = ImporterDeclaration(  # before all readers of JSON: the header says what it is, whatever the name
    "exchange",
    "what export wrote",
    f"{SOURCES}:exchanged",
    "(.*)",
    is_file=True,
    holds=f"{SOURCES}:is_exchanged",
)
JSONL: Final = ImporterDeclaration(
    "jsonl",
    "crystals as JSON",
    f"{SOURCES}:json_lines",
    rf"(.*\.(?:jsonl|ndjson|json){PACKED})",
    "a .json or .jsonl file",
    OF_FILES,
    is_file=True,
)
TABLE: Final = ImporterDeclaration(
    "table", "a table", f"{SOURCES}:rows", rf"(.*\.(?:csv|tsv){PACKED})", "a .csv file", OF_FILES, is_file=True
)
VASP: Final = ImporterDeclaration(
    "vasp",
    "a run of VASP",
    f"{SOURCES}:vasp_run",
    rf"((?:.*/)?{VASPRUN})",
    "a vasprun.xml file",
    frozenset({"licence", "source"}),
    is_file=True,
)
STRUCTURES: Final = ImporterDeclaration(
    "structures",
    "files of structures, or a folder of them",
    f"{SOURCES}:structures",
    "(.*)",
    "a CIF, POSCAR or extended XYZ file, or a folder of them",
    OF_FILES,
    is_file=True,
    holds=f"{SOURCES}:is_structure_file",
)
