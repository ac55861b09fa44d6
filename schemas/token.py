"""A token of the REST API; of its secret only the hash is kept."""

from __future__ import annotations

from mongoengine import DateTimeField, EnumField, StringField

from fermiloop.schemas.base import BaseDocument, now
from fermiloop.schemas.vocabulary import Role


class Token(BaseDocument):
    """Who may do what over the network; its id is its name."""

    meta = {"collection": "tokens"}

    role = EnumField(Role, required=True)
    prefix = StringField(required=True)  # the public part, by which it is looked up and listed
    digest = StringField(required=True)  # SHA-256 of the secret part, hexadecimal
    created_at = DateTimeField(default=now)
    expires_at = DateTimeField()
    revoked_at = DateTimeField()
