"""URL identity: which address may be fetched (`clean`), and which addresses are one article (`key`).

The two are kept apart. `clean` keeps every parameter, because a site may need it to answer; `key` drops what does not
tell articles apart, and is only ever compared. Merging two articles would mix their versions for good, while a
duplicate is seen and mended by the page's canonical link: where a rule of `key` could do either, it keeps them apart.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from unicodedata import normalize
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit

MAX_URL_CHARS = 4096  # news addresses stay under 1,000; common servers refuse a request line over 8,000

# Query parameters, in lower case, that say where a reader came from and never which article.
_TRACKING = re.compile(
    r"""
      (?: utm | mc | mtm | pk | piwik | at | ns | hsa | vero | wt | amp ) [_.] .* | _hsenc | _hsmi
    # Clicks on advertisements: Meta, Google, Microsoft, Yandex, X, TikTok, Instagram, LinkedIn, Seznam, Adobe, ...
    | fbclid | fb_(?: action_ids | action_types | source ) | __tn__ | __cft__ | gclid | gclsrc | dclid | gbraid | wbraid
    | gad_source | srsltid | _ga | _gl | usqp | msclkid | yclid | ysclid | _openstat | twclid | __twitter_impression
    | ttclid | igshid | igsh | li_fat_id | sznclid | mkt_tok | dicbo | s_cid | s_kwcid | ef_id | spm | scm
    # Outlets' own: the Guardian, New York Times, Daily Mail, MSN, Le Monde, CNN, Bloomberg, Yahoo, CBS, Spiegel, ...
    | cmp | cmpid | smid | smtyp | emc | partner | ito | ocid | icid | ncid | xtor | xtref | iref | srnd | sref | share
    | sharetype | ftag
    | ref_src | ref_url | referrer | referer | guccounter | guce_referrer(?:_sig)? | soc_src | soc_trk
    | [a-z]{1,20} _ (?: source | medium | campaign ) | ico
    """,
    re.VERBOSE,
)
# Used for tracking by most sites and for ids by a few: dropped only when the value holds no digit ("rss", "home").
_SOURCE = frozenset({"ref", "source", "src", "from", "via", "medium", "campaign"})
# Parameters that ask for the AMP page, with the value that does; None for any value. Lower case.
_AMP_PARAMETERS = {"amp": None, "outputtype": "amp", "output": "amp", "view": "amp", "m_amp": None, "__amp": None}
_SCREEN_PREFIX = re.compile(r"(?:www[0-9]{0,2}|m|mobile|amp)\.(?=[^.]+\.)")

_BLANKS = "".join(map(chr, range(33)))
_SAFE_IN_PATH = "/%:@!$&'()*+,;=-._~[]"  # what the WHATWG standard leaves alone in a path
_SAFE_IN_QUERY = "/%:@!$&()*+,;=-._~[]?\\^`{|}"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_SESSION = re.compile(r";jsessionid%3D[^/;]*", re.IGNORECASE)  # after `_same_escapes`
# What opens a door: `?token=`, `&api_key=`, `;X-Amz-Signature=`. By the end of the name, so `keyword` stays as it is.
_SECRET = re.compile(
    r"""([?&;][^\s=&?;"'<>]{0,40}(?:token|key|password|passwd|pwd|auth|sig|signature|secret|credential)=)[^\s&#;"'<>]+""",
    re.IGNORECASE,
)
_USER = re.compile(r"""(://)[^\s/?#@"'<>]{1,200}@""")
_AMP_CACHE = re.compile(
    r"(?:google\.[a-z.]{2,6}/amp|[a-z0-9-]+\.cdn\.ampproject\.org/(?:[a-z]/)?[cvi])/(?:s/)?([^/?]+\.[^/?]+.*)"
)


def clean(url: str, base: str | None = None) -> str | None:
    """Return the absolute http(s) address as one may fetch and show it; None if there is none.

    Relative addresses are resolved against `base`. None as well for what two parsers would read as two different hosts
    (backslashes, user names, `http:host`, numeric hosts other than a dotted quad, escapes in the host), so that the
    host that was checked is the host that is fetched. Pure ASCII, without fragment, default port or dot segments.
    """
    return _clean(url, base) if len(url) <= MAX_URL_CHARS else None


# A visit asks ten times of the same few addresses: a third of what it cost to record one that showed nothing new.
@lru_cache(maxsize=1024)
def _clean(url: str, base: str | None) -> str | None:
    url = _bare(url)
    before_query = re.split(r"[?#]", url, maxsplit=1)[0]
    if "\\" in before_query or re.search(r"[\x00-\x1f\x7f]", url) or re.match(r"https?:(?!//[^/])", url, re.IGNORECASE):
        return None
    try:
        if base is not None and not re.match(r"https?:", url, re.IGNORECASE):
            cleaned_base = clean(base)
            url = urljoin(cleaned_base, url) if cleaned_base else url
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    hostname = _ascii_host(parts)
    if parts.scheme not in ("http", "https") or not hostname or port == 0:
        return None
    netloc = hostname if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{hostname}:{port}"
    try:
        path = quote(_without_dots(parts.path), safe=_SAFE_IN_PATH)
        query = quote(parts.query, safe=_SAFE_IN_QUERY)
    except UnicodeEncodeError:  # a lone surrogate has no bytes to send
        return None
    cleaned = f"{parts.scheme}://{netloc}{path}" + (f"?{query}" if query else "")
    return cleaned if len(cleaned) <= MAX_URL_CHARS else None


def _bare(url: str) -> str:
    """Return an address as browsers take it: blanks around it and line breaks inside come from the template."""
    return re.sub(r"[\t\r\n]", "", url.strip(_BLANKS))


def _ascii_host(parts: SplitResult) -> str | None:
    """Return the host in ASCII, IPv6 in brackets; None if it is missing or could be read in two ways."""
    netloc, name = parts.netloc, parts.hostname
    if not name or "@" in netloc or "%" in netloc:
        return None
    if netloc.startswith("["):
        try:
            return f"[{IPv6Address(name).compressed}]"
        except AddressValueError:
            return None
    # The three dots of East Asian scripts separate labels too (UTS 46).
    name = re.sub("[\u3002\uff0e\uff61]", ".", name).removesuffix(".")
    try:
        labels = [_ascii_label(label) for label in name.split(".")]
    except (UnicodeError, ValueError):
        return None
    if len(".".join(labels)) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        # 2130706433, 0177.0.0.1 and 127.1 are 127.0.0.1 to one resolver and a name to another.
        try:
            return str(IPv4Address(".".join(labels)))
        except AddressValueError:
            return None
    return ".".join(labels)


def _ascii_label(label: str) -> str:
    label = normalize("NFKC", label.lower()).lower()
    if label.isascii():
        return label
    if re.search("[ßς\u200c\u200d]", label):
        # Python's codec is IDNA 2003, which turns these four into something else; browsers and registries no longer do.
        return "xn--" + label.encode("punycode").decode("ascii")
    return label.encode("idna").decode("ascii")


def _without_dots(path: str) -> str:
    """Return the path, absolute, with `.` and `..` resolved, their percent-encoded forms too."""
    kept: list[str] = []
    segments = path.removeprefix("/").split("/")
    for place, segment in enumerate(segments):
        dots = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if dots == ".." and kept:
            kept.pop()
        if dots not in (".", ".."):
            kept.append(segment)
        elif place == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def key(url: str) -> str:
    """Return what all forms of one article's address share, as `host/path?query`; only to be compared.

    Falls together: scheme (also none), www./m./mobile./amp. hosts, default port, trailing and doubled slashes,
    fragment, tracking parameters, session ids, AMP suffixes, parameters and caches, the order of parameters,
    percent-encoding, IDN and its punycode. Stays apart: every other parameter, other ports, other hosts.
    `key(key(url)) == key(url) == key(clean(url))`. What is no http(s) address comes back without blanks around it.
    """
    address = _bare(url)
    return _key(address) if len(address) <= MAX_URL_CHARS else address


@lru_cache(maxsize=1024)
def _key(url: str) -> str:
    address = url.removeprefix("//")
    cleaned = clean(address if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", address) else f"https://{address}")
    if cleaned is None:
        return url
    parts = urlsplit(cleaned)
    site = _site(parts)
    segments = [_SESSION.sub("", _same_escapes(segment)) for segment in parts.path.split("/")]
    segments = [segment for segment in segments if segment not in ("", ".", "..")]  # dots were before a session id
    if cached := _AMP_CACHE.fullmatch("/".join([site, *segments]) + (f"?{parts.query}" if parts.query else "")):
        return key(cached[1])
    while segments and segments[0] == "amp":
        del segments[0]
    while segments:
        without = "" if segments[-1] == "amp" else _without_amp(segments[-1])
        if without == segments[-1]:
            break
        segments[-1:] = [without] if without else []
    path = "/".join([site, *segments])
    query = "&".join(sorted(set(filter(None, map(_identifying, parts.query.split("&"))))))
    return f"{path}?{query}" if query else path


def _without_amp(segment: str) -> str:
    """Return the last part of a path without the `.amp` at its end, before `.html` too. Linear: they may be many."""
    ending = next((ending for ending in (".html", ".htm") if segment.endswith(ending)), "")
    stem = segment.removesuffix(ending)
    while stem.endswith(".amp"):
        stem = stem.removesuffix(".amp")
    return stem + ending


def _identifying(parameter: str) -> str:
    """Return a query parameter in its one spelling, "" if it does not tell articles apart."""
    name, _, value = (_same_escapes(part) for part in parameter.replace("+", "%20").partition("="))
    lowered = name.lower()
    if _TRACKING.fullmatch(lowered):
        return ""
    if lowered in _SOURCE and not re.search("[0-9]", value):
        return ""
    if lowered in _AMP_PARAMETERS and _AMP_PARAMETERS[lowered] in (None, value.lower()):
        return ""
    return f"{name}={value}" if value else name


def _same_escapes(text: str) -> str:
    """Escape what must be, in capitals, and nothing else: `%7e` is `~`, `%d1` is `%D1`."""
    return quote(unquote_to_bytes(text), safe="!$'()*,:;@") if "%" in text else quote(text, safe="!$'()*,:;@")


def host(url: str) -> str:
    """Return the host in lower-case ASCII, an IPv6 address without brackets, "" where there is none to fetch."""
    cleaned = clean(url)
    return (urlsplit(cleaned).hostname or "") if cleaned else ""


def same_site(a: str, b: str) -> bool:
    """Return whether two addresses belong to one outlet: equal hosts, or one below the other, www. and m. dropped.

    Addresses by number and names without a dot (`localhost`) only when the port is equal too: on those, every port is
    somebody else.
    """
    cleaned = clean(a), clean(b)
    if not cleaned[0] or not cleaned[1]:
        return False
    one, other = (_site(urlsplit(url)) for url in (cleaned[0], cleaned[1]))
    if one == other:
        return True
    one, other = (re.sub(r":[0-9]+$", "", site) if _is_name(site) else site for site in (one, other))
    if one == other:
        return True
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return _is_name(shorter) and longer.endswith("." + shorter)


def without_secrets(text: str) -> str:
    """Return a text with what opens doors as `***` in the addresses that it holds: user names, passwords, and the
    values of query parameters that are named like a key, a token, a password or a signature.
    """
    return _USER.sub(r"\1***@", _SECRET.sub(r"\1***", text)) if "=" in text or "@" in text else text


def shown(url: str) -> str:
    """Return an address for a sentence: short, and without its secrets."""
    return without_secrets(url if len(url) <= 200 else url[:199] + "…")


def _site(parts: SplitResult) -> str:
    """Return host and port without the parts that only say for which screen a page is made."""
    netloc = parts.netloc.removesuffix(":80").removesuffix(":443") if not parts.netloc.endswith("]") else parts.netloc
    while prefix := _SCREEN_PREFIX.match(netloc):
        netloc = netloc[prefix.end() :]
    return netloc


def _is_name(site: str) -> bool:
    name = re.sub(r":[0-9]+$", "", site)
    return "." in name and not _NUMERIC_LABEL.fullmatch(name.rsplit(".", 1)[1]) and not name.endswith("]")
