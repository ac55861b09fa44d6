"""What must be known of recorded answers before a file of them is read."""

from fermiloop.platform.plugins.engines import ELECTRONIC, EngineDeclaration
from fermiloop.schemas.curve_kinds import other_stored_kinds

RECORDED = EngineDeclaration(
    name="recorded",
    title="Recorded: answers of a file in the place of calculations",
    code="fermiloop.flows.engines.recorded.engine:ENGINE",
    settings="fermiloop.flows.engines.recorded.engine:RecordedSettings",
    gives=ELECTRONIC,
    gives_dos=True,
    gives_curves=other_stored_kinds(),  # where its file has them
    lowest_energy=-1e5,  # of whatever program they are
    by_element=False,
    names_file="file",
)
