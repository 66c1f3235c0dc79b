"""What a person is called and where mail reaches him: for himself to see, decided upon by nothing."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from identity.principals import Agent, Person
from storage.direct import Kept
from storage.engine import Database

_USERS = sa.table("users", sa.column("id", sa.BigInteger()), sa.column("first_name"), sa.column("last_name"))
_WISHES = sa.table(
    "user_preferences",
    sa.column("user_id", sa.BigInteger()),
    sa.column("preferences_key"),
    sa.column("preferences_value"),
)
_CUSTOMERS = sa.table(
    "customer_user",
    sa.column("id", sa.BigInteger()),
    sa.column("first_name"),
    sa.column("last_name"),
    sa.column("email"),
)
_OWN: sa.BindParameter[int] = sa.bindparam("number")
_AGENT = Kept(sa.select(_USERS.c.first_name, _USERS.c.last_name).where(_USERS.c.id == _OWN))
_AGENT_EMAIL = Kept(
    sa.select(_WISHES.c.preferences_value).where(_WISHES.c.user_id == _OWN, _WISHES.c.preferences_key == "UserEmail")
)
_CUSTOMER = Kept(
    sa.select(_CUSTOMERS.c.first_name, _CUSTOMERS.c.last_name, _CUSTOMERS.c.email).where(_CUSTOMERS.c.id == _OWN)
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The name as it is written in one line, and the address; both may be empty."""

    name: str = ""
    email: str = ""


async def read_profile(database: Database, person: Person) -> Profile:
    """Read somebody's profile; an empty one where the row has gone. Raises `StorageError`."""
    own = {"number": person.id}
    if isinstance(person, Agent):
        rows = await database.fetch_kept(_AGENT, own)
        mail = await database.fetch_kept(_AGENT_EMAIL, own)
        email = _text(mail[0][0]) if mail else ""
    else:
        rows = await database.fetch_kept(_CUSTOMER, own)
        email = _text(rows[0][2]) if rows else ""
    return Profile(" ".join(filter(None, map(_text, rows[0][:2]))), email) if rows else Profile()


def _text(value: object) -> str:
    """Read a text; OTRS keeps preferences as bytes on some databases."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
