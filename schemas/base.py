"""What all documents share: string ids made from content, safe queries, indexes made by `db init` only."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from mongoengine import Document, StringField, ValidationError

from fermiloop.platform.errors import InputError
from fermiloop.schemas.queryset import SafeQuerySet


def content_id(prefix: str, *parts: Any) -> str:
    """Id that the same content always gets: the prefix and 16 hex digits."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def now() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC)


class BaseDocument(Document):
    """Base of all documents."""

    meta = {"abstract": True, "queryset_class": SafeQuerySet, "auto_create_index": False}

    id = StringField(primary_key=True)

    def check(self) -> None:
        """Validate, telling the first thing that is invalid.

        Raises
        ------
        InputError
            Naming the field and the reason.
        """
        try:
            self.validate()
        except ValidationError as error:
            field, reason = next(iter((error.to_dict() or {"document": str(error)}).items()))
            raise InputError(f"{type(self).__name__} {self.id or ''}: {field} is invalid: {reason}.") from None
