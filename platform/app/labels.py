"""Labels: values of materials by a Method, added by hand."""

from __future__ import annotations

from fermiloop.platform.store import labels, materials, methods
from fermiloop.schemas.label import Label
from fermiloop.schemas.vocabulary import Property


def add(material: str, name: Property | str, value: float, *, method: str) -> str:
    """Keep a value of a material; another value than the latest becomes the next version. The label's id.

    Parameters
    ----------
    material
        Its id.
    name
        A property.
    value
        In the property's unit.
    method
        Id of a Method that the store holds: a value without its Method cannot be compared with any other.

    Raises
    ------
    NotFoundError
        If the material or the Method is not in the store.
    InputError
        If the property is unknown, or the value is not finite.
    """
    return labels.save(materials.get(material).id, name, float(value), method=methods.get(method).id)


def of_material(material: str) -> list[Label]:
    """All labels of a material.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return labels.of_material(materials.get(material).id)
