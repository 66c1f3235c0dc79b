"""Which servers lambdas may call: the operator's list, and which addresses a name on it may lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from lambdas.errors import LambdaError

USUAL_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*")

Address = IPv4Address | IPv6Address

# What Python does not count, or in some versions did not count, among the addresses that are nobody's in the world: those
# for protocols, for examples, and those that stand for an address of the older kind behind a gateway.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16",
            "fec0::/10",
        ),
    )
)  # fmt: skip
_GATEWAY = IPv6Network("64:ff9b::/96")  # to the address in its last four bytes


class HttpRefused(LambdaError, ValueError):
    """A call that is not made; the message is what the lambda gets thrown."""


@dataclass(frozen=True, slots=True)
class Host:
    """One server of the list. `is_exact`: it was written with its port or as an address, so that it means one place."""

    scheme: str
    name: str
    port: int
    is_exact: bool = False

    @property
    def address(self) -> Address | None:
        """The address, where the list names one."""
        return read_address(self.name)


@dataclass(frozen=True)
class Hosts:
    """The operator's list. With `private`, its exact entries may lead into the operator's own network."""

    entries: tuple[Host, ...] = ()
    private: bool = False

    def find(self, scheme: str, name: str, port: int) -> Host:
        """Return the entry for a server. Raises `HttpRefused`."""
        found = self._by_place.get((scheme, name, port))
        if found is None:
            raise HttpRefused(
                f"This installation does not let lambdas call {scheme}://{_shown(name)}:{port}. "
                "Its operator names such servers in LAMBDESK_LAMBDA_HTTP_HOSTS."
            )
        return found

    def pick(self, host: Host, addresses: Iterable[str]) -> str:
        """Return the address to connect to. Raises `HttpRefused` where one of them is not for the world to see."""
        found = [ip_address(text) for text in addresses]
        if not found:
            raise HttpRefused(f"{host.name} has no address.")
        if not all(self._may_reach(host, address) for address in found):
            raise HttpRefused(f"{host.name} leads to an address that lambdas may not call.")
        return str(found[0])

    @cached_property
    def _by_place(self) -> dict[tuple[str, str, int], Host]:
        return {(host.scheme, host.name, host.port): host for host in self.entries}

    def _may_reach(self, host: Host, address: Address) -> bool:
        if is_public(address):
            return True
        plain = _plain(address)
        if not self.private or not host.is_exact or plain.is_multicast or plain.is_unspecified:
            return False
        # Clouds answer with secrets at a link-local address: never by a name that somebody else may turn there.
        return not plain.is_link_local or host.address == address


def read_hosts(names: Sequence[str]) -> tuple[Host, ...]:
    """Read the operator's list. Raises `ValueError`, which says what is wrong with it."""
    return tuple(_read_host(name) for name in names)


def is_public(address: Address) -> bool:
    """Answer whether an address may belong to anybody in the world, and is not of this machine or a network of its own."""
    plain = _plain(address)
    return (
        plain.is_global
        and not plain.is_multicast
        and not plain.is_reserved
        and not any(plain in network for network in _NOT_PUBLIC if network.version == plain.version)
    )


def read_address(text: str) -> Address | None:
    """Read a text as an address; None for a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_name(text: str) -> bool:
    """Answer whether a text can be the name of a server, in lower case and without a dot at its end."""
    return _NAME.fullmatch(text) is not None


def _plain(address: Address) -> Address:
    """Return the address that is meant where one stands for one of the older kind."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _GATEWAY:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _read_host(text: str) -> Host:
    wrong = ValueError(
        f"write hosts such as api.example.org, api.example.org:8443 or http://10.0.0.5:8080, not {text!r}"
    )
    parts = urlsplit(text.lower() if "://" in text else f"https://{text.lower()}")
    try:
        port = parts.port
    except ValueError:
        raise wrong from None
    name = (parts.hostname or "").rstrip(".")
    rest = (parts.username, parts.password, parts.path.strip("/"), parts.query, parts.fragment)
    address = read_address(name)
    if parts.scheme not in USUAL_PORTS or any(rest) or port == 0 or not (address or is_name(name)):
        raise wrong
    usual = USUAL_PORTS[parts.scheme]
    return Host(parts.scheme, str(address or name), port or usual, is_exact=port is not None or address is not None)


def _shown(name: str) -> str:
    return f"[{name}]" if ":" in name else name
