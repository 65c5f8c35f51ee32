"""Which machine asks, when proxies of ours stand in between."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_address(peer: str, forwarded: str, *, proxies: Sequence[Network]) -> str | None:
    """The nearest machine that is no proxy of ours; None when nobody can say.

    `forwarded` is `X-Forwarded-For`: each proxy adds whom it talked to at the end, and anybody can
    write what stands before. So it is read from the end, and only as far as proxies of ours wrote.
    """
    found = _read(peer)
    for text in reversed(forwarded.split(",")):
        if found is None or not _is_proxy(found, proxies):
            break
        named = _read(text)
        if named is None:
            break
        found = named
    return str(found) if found is not None else None


def _read(text: str) -> Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _is_proxy(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address.version == one.version and address in one for one in proxies)
