"""What OTRS keeps in its system configuration and a desk must agree with: how tickets are numbered, the host's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.transaction import Transaction
from storage.yamltext import load_yaml

GENERATORS = ("AutoIncrement", "Date", "DateChecksum", "Random")

_GENERATOR = "Ticket::NumberGenerator"
_SYSTEM_ID = "SystemID"
_SIZE = "Ticket::NumberGenerator::AutoIncrement::MinCounterSize"
_SIZE_OF_ALL = "Ticket::NumberGenerator::MinCounterSize"
_PADDED = "Ticket::NumberGenerator::Date::UseFormattedCounter"
_HOST = "FQDN"
_MODIFIED = sa.table("sysconfig_modified", *map(sa.column, ("name", "effective_value", "is_valid", "user_id")))
_SYSTEM_ID_FORM = re.compile(r"\d{1,8}")
_HOST_FORM = re.compile(r"[A-Za-z0-9.-]{1,200}")


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """How tickets are numbered. `pads_date` fills the counter of the Date generator up to `min_counter_size` digits."""

    generator: str = "DateChecksum"
    system_id: str = "10"
    min_counter_size: int = 5
    pads_date: bool = False


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What a desk needs to know: `host` is the right half of message ids."""

    numbers: NumberSettings = NumberSettings()
    host: str = "localhost"


async def read_settings(transaction: Transaction) -> DeskSettings:
    """Read what the administrators of an OTRS on the same database have set; everything else has OTRS's defaults."""
    names = (_GENERATOR, _SYSTEM_ID, _SIZE, _SIZE_OF_ALL, _PADDED, _HOST)
    columns = _MODIFIED.c
    rows = await transaction.execute(
        sa.select(columns.name, columns.effective_value).where(
            columns.name.in_(names), columns.is_valid == 1, columns.user_id.is_(None)
        )
    )
    return _settings({name: _value(text) for name, text in rows})


def _settings(found: Mapping[str, str]) -> DeskSettings:
    usual = NumberSettings()
    generator = found.get(_GENERATOR, "").rpartition("::")[2]
    system_id = found.get(_SYSTEM_ID, "")
    size = found.get(_SIZE) or found.get(_SIZE_OF_ALL) or ""
    host = found.get(_HOST, "")
    return DeskSettings(
        NumberSettings(
            generator if generator in GENERATORS else usual.generator,
            system_id if _SYSTEM_ID_FORM.fullmatch(system_id) else usual.system_id,
            int(size) if size.isdecimal() and 0 < int(size) <= 20 else usual.min_counter_size,  # noqa: PLR2004 - tn has 50
            found.get(_PADDED, "") == "1",
        ),
        host if _HOST_FORM.fullmatch(host) else DeskSettings().host,
    )


def _value(stored: Any) -> str:
    """Read a scalar of OTRS's YAML; on MariaDB it comes as bytes."""
    text = stored.decode("utf-8", "replace") if isinstance(stored, bytes) else str(stored)
    try:
        return str(load_yaml(text)).strip()
    except ValueError:
        return ""
