"""SQLAlchemy's asynchronous engine without its ORM, which Lambdesk does not use.

`import sqlalchemy.ext.asyncio` loads the whole ORM for its session class: half a second of a start and 6 MB, measured with
SQLAlchemy 2.1. Only the module with the engine is needed; it is loaded past its package, which stays as it is for others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_PACKAGE = "sqlalchemy.ext.asyncio"


def _load_engine() -> ModuleType:
    if _PACKAGE in sys.modules:
        return import_module(f"{_PACKAGE}.engine")
    spec = find_spec("sqlalchemy.ext")
    folders = [f"{folder}/asyncio" for folder in (spec.submodule_search_locations if spec else None) or ()]
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = folders
    sys.modules[_PACKAGE] = stand_in
    try:
        return import_module(f"{_PACKAGE}.engine")
    finally:
        # Whoever imports the package itself gets the real one, built on the module that is loaded now.
        del sys.modules[_PACKAGE]


create_async_engine: Callable[..., AsyncEngine] = _load_engine().create_async_engine
