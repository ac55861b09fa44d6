"""Labels: values of materials, each by a Method."""

from __future__ import annotations

from fermiloop.platform.app import labels as app
from fermiloop.platform.python.connecting import connected


def add(material: str, property: str, value: float, *, method: str) -> str:  # noqa: A002 - the field's name
    """Keep a value of a material; another value than the latest becomes the next version. The label's id.

    Parameters
    ----------
    material
        Id of a material.
    property
        Name of a property, such as ``"band_gap"``.
    value
        In the property's unit.
    method
        Id of a Method that the store holds, such as the column ``method`` of `fermiloop.materials.find` gives it:
        values of different Methods are never compared.

    Raises
    ------
    NotFoundError
        If the material or the Method is not in the store.
    InputError
        If the property is unknown, or the value is not finite.
    """
    connected()
    return app.add(material, property, value, method=method)


def of_material(material: str) -> list[dict[str, object]]:
    """All labels of a material: property, value, unit, method, version.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    connected()
    return [
        {
            "id": str(one.id), "property": str(one.property), "value": float(one.value), "unit": str(one.unit),
            "method": str(one.method), "version": int(one.version),
        }
        for one in app.of_material(material)
    ]  # fmt: skip
