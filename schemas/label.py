"""One number about one material, with the method that made it; never overwritten."""

from __future__ import annotations

from mongoengine import DateTimeField, EnumField, IntField, StringField, ValidationError

from fermiloop.schemas.base import BaseDocument, content_id, now
from fermiloop.schemas.fields import FiniteField
from fermiloop.schemas.vocabulary import UNIT_OF, Property, Unit


class Label(BaseDocument):
    """A property's value by one method; a later value is a later version."""

    meta = {"collection": "labels"}

    material = StringField(required=True)
    property = EnumField(Property, required=True)
    value = FiniteField(required=True)  # in `unit`
    unit = EnumField(Unit, required=True)
    method = StringField(required=True)
    version = IntField(required=True, min_value=1, default=1)
    calculation = StringField()
    entry = StringField()  # key of the entry that an import took it from
    created_at = DateTimeField(default=now)

    @classmethod
    def make(
        cls,
        material: str,
        name: Property,
        value: float,
        *,
        method: str,
        calculation: str | None,
        version: int,
        entry: str | None = None,
    ) -> Label:
        """The document of one value, in the property's unit."""
        return cls(
            id=content_id("l", material, str(name), method, version),
            material=material,
            property=name,
            value=value,
            unit=UNIT_OF[name],
            method=method,
            version=version,
            calculation=calculation,
            entry=entry,
        )

    def clean(self) -> None:
        """Refuse a unit that is not the property's."""
        if self.property is not None and self.unit != UNIT_OF[self.property]:
            raise ValidationError(f"{self.property} is in {UNIT_OF[self.property]}, not in {self.unit}")
