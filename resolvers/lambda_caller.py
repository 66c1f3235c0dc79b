"""What lambdas know of who is calling and of the moment: `me`, `now`, and what chance begins with. All of it is frozen for a request."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from identity.principals import Customer, Principal, System, Token, person_of
from identity.rights import KEYS, Rights

DEFAULT_LOCALE = "en"
_SEED_BITS = 48  # a number that JavaScript holds exactly


class Moment:
    """The clock and the chance of all lambdas of one request. The clock has whole seconds, so that values can be remembered."""

    __slots__ = ("_seed", "now_ms")

    def __init__(self, now_ms: float | None = None, seed: int | None = None) -> None:
        self.now_ms = float(int(time.time()) * 1000) if now_ms is None else now_ms
        self._seed = seed

    @property
    def seed(self) -> int:
        """What chance begins with; drawn when somebody asks, for most requests run no lambda."""
        if self._seed is None:
            self._seed = secrets.randbits(_SEED_BITS)
        return self._seed


def me_of(rights: Rights, languages: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return `me`: who it is, by names and numbers; nothing in it is secret or lets anybody in.

    `groups` are the names of the groups that the caller may read, `keys` those for which he has another of OTRS's keys
    (`me.keys.rw`). A token is the person that it stands for, with its name beside.
    """
    known: dict[str, Any] | None = rights.memo.get("me")
    if known is None:
        known = rights.memo["me"] = _me(rights)
    return {**known, "locale": locale_of(languages)}


def locale_of(languages: Sequence[str]) -> str:
    """Return the language that `me` tells."""
    return languages[0] if languages else DEFAULT_LOCALE


def _me(rights: Rights) -> dict[str, Any]:
    names = rights.group_names
    return {
        **_who(rights.principal),
        "email": rights.email,
        "groups": sorted(names["ro"]),
        "keys": {key: sorted(names[key]) for key in KEYS[1:]},
        "roles": sorted(rights.roles),
        "companies": list(rights.companies),
    }


def _who(principal: Principal) -> dict[str, Any]:
    if isinstance(principal, System):
        return {"id": principal.id, "login": principal.login, "kind": str(principal.kind), "task": principal.task}
    person = person_of(principal)
    if person is None:
        raise TypeError(f"{principal} is nobody.")
    found: dict[str, Any] = {"id": person.id, "login": person.login, "kind": str(person.kind)}
    if isinstance(person, Customer):
        found["company"] = person.company
    if isinstance(principal, Token):
        found["token"] = principal.name
    return found
