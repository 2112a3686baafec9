from __future__ import annotations

import pytest

from crawler.addresses import is_allowed, networks
from crawler.errors import UsageError

REFUSED = """
127.0.0.1 127.8.9.10 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.2.1
198.18.0.1 203.0.113.5 224.0.0.251 239.1.1.1 240.0.0.1 255.255.255.255 192.88.99.1
:: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12:3456::1 ff02::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 2002:7f00:1:: 2002:c0a8:101:: 64:ff9b::7f00:1 64:ff9b::a00:1
64:ff9b:1::a00:1 64:ff9b:1::808:808 3fff::1 100::1 5f00::1 ::127.0.0.1 ::10.0.0.1
2001:470::5efe:10.0.0.1 2001:470::200:5efe:127.0.0.1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:7f00:1:8000:63bf:3fff:fdd2
name.example 1 0x7f000001 127.1
"""
ALLOWED = (
    "93.184.216.34 8.8.8.8 2606:2800:220:1::1 ::ffff:8.8.8.8 2002:808:808:: 64:ff9b::808:808 2001:470::5efe:8.8.8.8"
)


@pytest.mark.parametrize("address", REFUSED.split())
def test_s4_what_is_not_public_is_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ALLOWED.split())
def test_what_is_public_is_allowed(address: str) -> None:
    assert is_allowed(address)


def test_a_network_that_the_user_opened_is_allowed_and_no_other() -> None:
    opened = networks("127.0.0.0/8, 10.1.0.0/16")
    assert is_allowed("127.0.0.2", opened)
    assert is_allowed("10.1.9.9", opened)
    assert is_allowed("::ffff:127.0.0.1", opened)
    assert not is_allowed("10.2.0.1", opened)
    assert not is_allowed("192.168.0.1", opened)


def test_a_setting_that_is_no_network_is_named() -> None:
    with pytest.raises(UsageError, match="localhost"):
        networks("127.0.0.0/8,localhost")
