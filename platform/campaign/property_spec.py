"""What a campaign file asks of one property: a window, bounds, or an objective."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from fermiloop.platform.campaign.spec_fields import Number, Part, Text, installed
from fermiloop.platform.plugins.properties import targetable
from fermiloop.platform.representations.conditions import MAXIMISE, MINIMISE, Condition

WAYS = "value with tolerance, at_most, at_least, minimise: true or maximise: true"


class PropertySpec(Part):
    """A property with the values that count as a hit, or that is to be as low or as high as possible."""

    name: Annotated[Text, AfterValidator(installed("property", targetable))] = Field(description="a property name")
    value: Number | None = Field(default=None, description="the value looked for, in the property's unit")
    tolerance: Number | None = Field(default=None, gt=0, description="how far from it still counts")
    at_most: Number | None = Field(default=None, description="greatest value that counts")
    at_least: Number | None = Field(default=None, description="least value that counts")
    minimise: bool = Field(default=False, strict=True, description="the lower the better")
    maximise: bool = Field(default=False, strict=True, description="the higher the better")

    @model_validator(mode="after")
    def _makes_sense(self) -> PropertySpec:
        where = f"target.properties names {self.name}"
        window = self.value is not None or self.tolerance is not None
        bounds = self.at_most is not None or self.at_least is not None
        if not (window or bounds or self.minimise or self.maximise):
            raise ValueError(f"{where} without saying what of it; add {WAYS}")
        if window and (self.value is None or self.tolerance is None):
            missing = "value" if self.value is None else "tolerance"
            raise ValueError(f"{where}, but {missing} is missing; give value and tolerance, or at_most or at_least")
        if window and bounds:
            raise ValueError(f"{where} with value and with at_most or at_least; give one of both")
        if self.at_most is not None and self.at_least is not None and not self.at_least < self.at_most:
            raise ValueError(
                f"{where} with at_least {self.at_least:g} and at_most {self.at_most:g}, but at_least must be the lower"
            )
        if self.minimise and self.maximise:
            raise ValueError(f"{where} to be minimised and maximised; give one of both")
        return self

    @property
    def objective(self) -> bool:
        """Whether it is to be as low or as high as possible."""
        return self.minimise or self.maximise

    @property
    def bounded(self) -> bool:
        """Whether it says what counts as a hit."""
        return self.condition().bounded

    def condition(self) -> Condition:
        """The same as generators, funnel and scores take it."""
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.at_most is None else self.at_most
        if self.value is not None and self.tolerance is not None:
            low, high = self.value - self.tolerance, self.value + self.tolerance
        return Condition(self.name, low, high, MINIMISE if self.minimise else MAXIMISE if self.maximise else "")

    def asked(self) -> dict[str, object]:
        """What the file says, without what it leaves out."""
        return {key: value for key, value in self.model_dump().items() if value is not None and value is not False}
