"""What must be known of the engine ``chgnet-phonon`` before CHGNet and phonopy are imported."""

from fermiloop.platform.plugins.engines import EngineDeclaration

CHGNET_PHONON = EngineDeclaration(
    name="chgnet-phonon",
    title="CHGNet with phonopy: energies and phonon densities of states by a machine-learned potential",
    code="fermiloop.flows.engines.chgnet_phonon.engine:ENGINE",
    settings="fermiloop.flows.engines.chgnet_phonon.settings:PhononSettings",
    gives_curves=("phonon_dos",),
    last_step="phonons",
    at_once=True,
)
