"""Who may send an artifact's bytes …"""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from artifacts.domain.addresses import client_address
from artifacts.domain.conditions import Conditions
from artifacts.domain.handover import can_hand_over
from artifacts.domain.ranges import ByteRange

PART = ByteRange(0, 10, 100)
PROXIES = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def test_is_somebody_else_for_the_whole_or_an_honoured_range() -> None:
    assert can_hand_over(Conditions(), asked=None, selected=None)
    assert can_hand_over(Conditions(), asked="bytes=0-9", selected=PART)
    assert can_hand_over(Conditions(if_none_match='"x"'), asked=None, selected=None)


@pytest.mark.parametrize(
    "field", ["if_match", "if_modified_since", "if_unmodified_since", "if_range"]
)
def test_is_the_app_where_others_would_judge_again(field: str) -> None:
    conditions = replace(Conditions(), **{field: "x"})

    assert not can_hand_over(conditions, asked=None, selected=None)


def test_is_the_app_where_a_range_was_not_honoured() -> None:
    assert not can_hand_over(Conditions(), asked="bytes=0-1,4-5", selected=None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "6.6.6.6, unknown", "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, x, 10.1.2.3", "10.1.2.3"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("", "198.51.100.1", None),
        ("/run/app.sock", "198.51.100.1", None),
    ],
)
def test_is_asked_by_the_nearest_machine_that_is_no_proxy(
    peer: str, forwarded: str, expected: str | None
) -> None:
    assert client_address(peer, forwarded, proxies=PROXIES) == expected


def test_believes_nobody_where_no_proxy_is_named() -> None:
    assert client_address("127.0.0.1", "198.51.100.1", proxies=[]) == "127.0.0.1"
