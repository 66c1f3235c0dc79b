"""aiomysql's connection with less work for each packet and value.

Of a short statement most of the time goes into reading its answer packet by packet, each in two steps through a stream,
and into quoting its values. Here a packet that has arrived as a whole is taken as a whole.
"""

from __future__ import annotations

from typing import Any

from aiomysql.connection import Connection
from pymysql.protocol import MysqlPacket

_HEADER = 4
_LONGEST = 0xFFFFFF  # what is longer comes in several packets


class LeanConnection(Connection):  # type: ignore[misc] # aiomysql has no types
    """A connection of aiomysql, made by `connect`."""

    _next_seq_id: int

    def escape(self, obj: Any) -> str:
        """Write a value into a statement.

        Bytes as hexadecimal digits: those are the same in every sql_mode, which says whether a backslash is special; and up
        to 0.3.2 aiomysql calls for bytes what PyMySQL 1.2 does not have any more.
        """
        kind = type(obj)
        if kind is int:
            return str(obj)
        if obj is None:
            return "NULL"
        if kind is bytes:
            return f"x'{obj.hex()}'"
        escaped: str = super().escape(obj)
        return escaped

    async def _read_packet(self, packet_type: Any = MysqlPacket) -> Any:
        """Take a packet from what has arrived; where it is not all there yet, or is not what it should be, as aiomysql does."""
        reader = self._reader
        arrived = reader._buffer  # noqa: SLF001 - the stream offers nothing that does not wait
        if len(arrived) >= _HEADER:
            size = arrived[0] | arrived[1] << 8 | arrived[2] << 16
            end = _HEADER + size
            if size < _LONGEST and len(arrived) >= end and arrived[3] == self._next_seq_id:
                data = bytes(arrived[_HEADER:end])
                del arrived[:end]
                reader._maybe_resume_transport()  # noqa: SLF001 - as each of its own reads does
                self._next_seq_id = (self._next_seq_id + 1) % 256
                packet = packet_type(data, self._encoding)
                if packet.is_error_packet():
                    packet.raise_for_error()
                return packet
        return await super()._read_packet(packet_type)


async def connect(**settings: Any) -> LeanConnection:
    """Open a connection; SQLAlchemy calls this in place of `aiomysql.connect`."""
    connection = LeanConnection(**settings)
    await connection._connect()  # noqa: SLF001 - as `aiomysql.connect` itself does
    return connection
