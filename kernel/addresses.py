"""Which machines may be asked over HTTP, by address: after DNS, before connecting."""

import ipaddress
from collections.abc import Sequence
from typing import Final, Protocol

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reach(Protocol):
    """How far a question may go: to loopback in development alone, to private networks by leave."""

    @property
    def is_development(self) -> bool: ...

    @property
    def allows_private_addresses(self) -> bool: ...


def forbidden(found: Sequence[str], reach: Reach) -> str | None:
    """The first of a host's addresses that must not be asked; None when all of them may be.

    One forbidden address forbids the host: what stands beside it was put there by the same hand.
    """
    return next((text for text in found if not _is_allowed(text, reach)), None)


def _is_allowed(text: str, reach: Reach) -> bool:
    try:
        address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if address.is_loopback:
        return reach.is_development
    # Link-local is where clouds keep their machines' credentials: no setting opens it.
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_global:
        return True
    return reach.allows_private_addresses and address.is_private and not address.is_reserved


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to by one of the ways of embedding it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
