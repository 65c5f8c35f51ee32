"""What is told to kombu about a broker: TLS is verified, which it is not by default."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from config.broker import tls


@pytest.mark.parametrize("url", ["redis://a:b@c/0", "redis+socket:///run/broker", "amqp://a:b@c"])
def test_speaks_in_the_clear_only_where_it_is_told_to(url: str) -> None:
    assert tls(url, ca_file=None) is False


@pytest.mark.parametrize(
    ("url", "member", "roots", "name"),
    [
        ("amqps://a:b@c", "cert_reqs", "ca_certs", "server_hostname"),
        ("rediss://a:b@c/0", "ssl_cert_reqs", "ssl_ca_certs", "ssl_check_hostname"),
    ],
)
def test_verifies_the_brokers_certificate_and_its_name(
    url: str, member: str, roots: str, name: str
) -> None:
    own: Any = tls(url, ca_file=Path("/etc/broker-ca.pem"))
    systems: Any = tls(url, ca_file=None)

    assert own[roots] == "/etc/broker-ca.pem"
    assert not systems.get(roots)
    for told in (own, systems):
        assert told[member] == ssl.CERT_REQUIRED
        assert name in told
