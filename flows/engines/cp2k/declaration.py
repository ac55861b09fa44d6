"""What must be known of CP2K before it is imported."""

from fermiloop.platform.plugins.engines import EngineDeclaration

CP2K = EngineDeclaration(
    name="cp2k",
    title="CP2K: PBE energies with GTH pseudopotentials, through atomate2",
    code="fermiloop.flows.engines.cp2k.engine:ENGINE",
    settings="fermiloop.flows.engines.cp2k.engine:Cp2kSettings",
    last_step="relax",
    lowest_energy=-1e5,  # it counts from bare cores: iron has some -3,400 eV
    cutoff_unit="Ry",
)
