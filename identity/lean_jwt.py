"""PyJWT without `cryptography`, which it loads for algorithms that Lambdesk never takes: 10 of its 13 MB.

It also means that in this process there are no keys for which a shared secret could be mistaken. Where `cryptography` is
loaded already, nothing is saved and nothing is done.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


def load_jwt() -> ModuleType:
    """Load PyJWT; measured with 2.15."""
    if "jwt" in sys.modules or "cryptography" in sys.modules:
        return import_module("jwt")
    sys.modules["cryptography"] = None  # type: ignore[assignment] # importing it fails, and PyJWT goes on without
    try:
        return import_module("jwt")
    finally:
        del sys.modules["cryptography"]
