"""A request whose headers are looked up by name: Starlette goes through all of them for each of the dozen that are asked for."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope

Default = TypeVar("Default")


class NamedHeaders(Headers):
    """Headers by their names; of several with one name the first counts, as with Starlette's."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        found: dict[str, str] = {}
        for name, value in self._list:
            found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        self._named = found

    def __getitem__(self, key: str) -> str:
        return self._named[key.lower()]

    def __contains__(self, key: Any) -> bool:
        return key.lower() in self._named

    @overload
    def get(self, key: str, /) -> str | None: ...

    @overload
    def get(self, key: str, /, default: str | Default) -> str | Default: ...

    def get(self, key: str, /, default: Any = None) -> Any:
        """Return the value of a header, if there is one."""
        return self._named.get(key.lower(), default)


class Arrival(Request):
    """A request that is answered by what its headers say."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._named = NamedHeaders(scope)

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self._named
