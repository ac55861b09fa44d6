"""One number about one material, with the method that made it; never overwritten."""

from __future__ import annotations

from mongoengine import DateTimeField, IntField, StringField, ValidationError

from fermiloop.platform.plugins.properties import PROPERTIES, declared_property
from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.fields import FiniteField


class Label(BaseDocument):
    """A property's value by one method; a later value is a later version."""

    meta = {"collection": "labels"}

    material = StringField(required=True)
    property = StringField(required=True, max_length=40)  # of whatever package: one that is gone stays readable
    value = FiniteField(required=True)  # in `unit`
    unit = StringField(required=True, max_length=40)
    method = StringField(required=True)
    version = IntField(required=True, min_value=1, default=1)
    calculation = StringField()
    entry = StringField()  # key of the entry that an import took it from
    created_at = DateTimeField(default=now)

    @classmethod
    def make(
        cls,
        material: str,
        name: str,
        value: float,
        *,
        method: str,
        calculation: str | None,
        version: int,
        entry: str | None = None,
    ) -> Label:
        """The document of one value, in the property's unit.

        Raises
        ------
        InputError
            If the property is not known here.
        """
        name = str(name)
        return cls(
            id=content_id("l", material, name, method, version),
            material=material,
            property=name,
            value=value,
            unit=declared_property(name).unit,
            method=method,
            version=version,
            calculation=calculation,
            entry=entry,
        )

    def clean(self) -> None:
        """Refuse a unit that is not the property's."""
        known = PROPERTIES.get(self.property)
        if known is not None and self.unit != known.unit:
            raise ValidationError(f"{self.property} is in {known.unit}, not in {self.unit}")
