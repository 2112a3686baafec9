"""Which addresses may be connected to: one function and a table of cases in the tests."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from crawler.errors import UsageError

Network = IPv4Network | IPv6Network

# Addresses that carry another one inside: what counts is where the packet ends. 64:ff9b::/96 is NAT64 (RFC 6052).
_NAT64 = ip_network("64:ff9b::/96")
# Public by the registries or to older Pythons, but never a news site: multicast, 6to4 relays (RFC 7526), a translator's
# own networks (RFC 8215), documentation (RFC 9637), segment routing (RFC 9602).
_REFUSED = tuple(
    map(
        ip_network,
        "192.88.99.0/24 224.0.0.0/4 240.0.0.0/4 ff00::/8 64:ff9b:1::/48 100::/64 3fff::/20 5f00::/16".split(),
    )
)
# ISATAP (RFC 5214) writes an IPv4 address behind these 32 bits, in any network.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def networks(setting: str) -> tuple[Network, ...]:
    """Read a list of networks such as `127.0.0.0/8,10.1.0.0/16`. Raises UsageError that names the part at fault."""
    found = []
    for part in filter(None, (part.strip() for part in setting.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise UsageError(
                f"REDLINE_ALLOW_NETWORKS: {part!r} is no network ({error}); write it like 127.0.0.0/8"
            ) from error
    return tuple(found)


def is_allowed(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Return whether an IP address (as text, as a resolver gives it) may be connected to.

    Only what is public on the internet may, and the networks that the user opened by name. An IPv6 address that
    stands for an IPv4 one (mapped, compatible, 6to4, Teredo, NAT64, ISATAP) is judged by that one.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    for inner in _meanings(ip):
        is_open = any(inner in network or ip in network for network in allowed)
        is_public = inner.is_global and not inner.is_multicast and not any(inner in net for net in _REFUSED)
        if not (is_open or is_public):
            return False
    return True


def _meanings(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return every address that a connection to `ip` may end at."""
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped:
        return [ip.ipv4_mapped]
    if ip.sixtofour:
        return [ip.sixtofour]
    if ip.teredo:
        return list(ip.teredo)
    last = IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _NAT64 or 1 < int(ip) <= 0xFFFFFFFF:  # ::a.b.c.d is what ::ffff:a.b.c.d was before (RFC 4291, 2.5.5.1)
        return [last]
    if int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
        return [ip, last]
    return [ip]
