"""A store's address, and the pool of connections to it, through a proxy where one is set."""

import ipaddress
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from client.errors import WrongUsage

CONNECTIONS: Final = 32
CONNECT_SECONDS: Final = 20.0  # also the longest that sending may stand still


@dataclass(frozen=True, slots=True)
class Origin:
    """A store's URL in one spelling: scheme, host, port if it is not the usual one, and path."""

    url: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL as a person writes it.

        Raises:
            WrongUsage: it is not the address of a store, or holds a password.
        """
        parts = urlsplit(text.strip())
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise WrongUsage(option="--store", expected="https://host, or http://host:port")
        if parts.username is not None or parts.query or parts.fragment:
            raise WrongUsage(
                option="--store", expected="no user, no password, nothing behind the path"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        usual = {"http": 80, "https": 443}[parts.scheme]
        shown = "" if port in (None, usual) else f":{port}"
        return cls(f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}")

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def is_in_the_clear(self) -> bool:
        """Whether a token on its way there could be read by others."""
        return self.url.startswith("http://") and not self.is_loopback

    def holds(self, address: str) -> bool:
        """Whether an address is one of this store's: same scheme, host and port, below its path."""
        return address == self.url or address.startswith(f"{self.url}/")


def pool_for(origin: Origin, *, blocksize: int) -> urllib3.PoolManager:
    """A pool for this origin; urllib3 itself does not read HTTPS_PROXY and NO_PROXY."""
    parts = urlsplit(origin.url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not origin.is_loopback and not proxy_bypass(parts.hostname or ""):
        shown = proxy if "://" in proxy else f"http://{proxy}"
        return urllib3.ProxyManager(shown, maxsize=CONNECTIONS, blocksize=blocksize)
    return urllib3.PoolManager(maxsize=CONNECTIONS, blocksize=blocksize)
