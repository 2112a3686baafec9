"""How one answer comes in: within its time, its size and its header, over TLS that was verified.

Scrapy's handler does the work. What is added here it has no setting for: one time limit for a visit over all its hops,
a limit for headers (Twisted takes them without end), a certificate that is not verified for hosts named by the user.
Refusals name the setting that would change them.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from service_identity import CertificateError, VerificationError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions
from twisted.web.http import _ChunkedTransferDecoder
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from crawler.middlewares import GuardedResolver, NoAnswer, Refused, too_large

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from twisted.internet.defer import Deferred
    from twisted.web.iweb import IResponse

# Bytes of status line and header lines. Browsers take 256 KiB; the largest of real answers are long security policies
# of some 20 KB.
MAX_HEADER_BYTES = 128 * 1024
# What a header line costs beside its bytes (objects, and a copy of what was read): so many lines are the limit, too.
_LINE_COSTS_BYTES = 128
# Each chunk of a body costs 12 microseconds, however small: a page of 8 MiB in single bytes, 100 seconds of CPU.
# Servers that send whatever their template prints come to 5,000 small ones.
MAX_CRUMBS = 50_000
_CRUMB_BYTES = 64


class BoundedHandler(HTTP11DownloadHandler):
    """Gets one answer. What a visit took so far stands in `meta["visit_seconds"]`, and goes along on its redirects.

    Sets `meta["tls_unverified"]` where the certificate of a hop was not verified. Raises Refused for what is larger
    than we take, NoAnswer for what took too long or could not be trusted, and what Scrapy raises for the rest.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._answer_seconds = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._visit_seconds = settings.getfloat("VISIT_TIMEOUT")
        self._unverified = frozenset(host.strip().lower() for host in settings.getlist("TLS_UNVERIFIED_HOSTS"))
        self._pool._factory = _Factory
        # Twisted asks at once again, and unseen, where a connection that was kept open breaks: a second request within
        # the host's delay, and one that no capture tells of.
        self._pool.retryAutomatically = False
        self._contextFactory: Any = _Certificates(self._contextFactory, self._unverified)

    async def download_request(self, request: Request) -> Response:
        spent = request.meta.get("visit_seconds", 0.0)
        left = self._visit_seconds - spent
        if left <= 0:
            raise self._too_long(whole_visit=True)
        request.meta["download_timeout"] = min(self._answer_seconds, left)
        parts = urlsplit(request.url)
        if parts.scheme == "https" and parts.hostname in self._unverified:
            request.meta["tls_unverified"] = True
        began = monotonic()
        try:
            return await super().download_request(request)
        except DownloadTimeoutError as error:
            raise self._too_long(whole_visit=left < self._answer_seconds) from error
        except DownloadCancelledError as error:
            raise too_large(request, self._default_maxsize) from error
        except CannotResolveHostError as error:
            if said := GuardedResolver.refused.get(parts.hostname or ""):
                raise Refused(said) from error
            raise
        except (DownloadFailedError, ResponseDataLossError) as error:
            if plain := _plainly(error, parts.hostname or ""):
                raise plain from error
            raise
        finally:
            request.meta["visit_seconds"] = spent + monotonic() - began

    def _too_long(self, *, whole_visit: bool) -> NoAnswer:
        if whole_visit:
            return NoAnswer(f"the visit took longer than {self._visit_seconds:g} seconds (VISIT_TIMEOUT)")
        return NoAnswer(f"no whole answer came within {self._answer_seconds:g} seconds (DOWNLOAD_TIMEOUT)")


def _plainly(error: Exception, host: str) -> Refused | NoAnswer | None:
    """Return what is behind a failed answer as a sentence; None where none is known."""
    for reason in getattr(error.__cause__, "reasons", ()):
        cause = reason.value
        if isinstance(cause, Refused):
            return cause
        if isinstance(cause, VerificationError | CertificateError):
            return NoAnswer(f"its certificate is not one of {host}; {_if_trusted(host)}")
        if isinstance(cause, SSL.Error) and "certificate" in str(cause):
            return NoAnswer(f"its certificate could not be verified ({_tls_reason(cause)}); {_if_trusted(host)}")
    return None


def _if_trusted(host: str) -> str:
    return f"if you trust it all the same: TLS_UNVERIFIED_HOSTS={host}"


def _tls_reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(str(detail[-1]) for detail in details) or "no reason given"


# Headers --------------------------------------------------------------------------------------------------------------


class _Parser(_LenientHTTPClientParser):
    """Counts header lines, those of 1xx answers before the real one too, and the chunks of a body."""

    _header_bytes = 0
    _pieces = 0
    _piece_bytes = 0

    def lineReceived(self, line: bytes) -> None:
        self._header_bytes += len(line) + _LINE_COSTS_BYTES
        if self._header_bytes > MAX_HEADER_BYTES:
            self.lineLengthExceeded(line)
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        raise Refused(f"its headers are larger than {MAX_HEADER_BYTES // 1024} KiB, or one is than 16 KiB")

    def switchToBodyMode(self, decoder: Any) -> None:
        if isinstance(decoder, _ChunkedTransferDecoder):
            self._deliver, decoder.dataCallback = decoder.dataCallback, self._counted
        super().switchToBodyMode(decoder)  # type: ignore[no-untyped-call]

    def _counted(self, piece: bytes) -> None:
        self._pieces += 1
        self._piece_bytes += len(piece)
        if self._pieces > MAX_CRUMBS and self._piece_bytes < self._pieces * _CRUMB_BYTES:
            raise Refused(f"it comes in more than {MAX_CRUMBS:,} chunks of under {_CRUMB_BYTES} bytes")
        self._deliver(piece)


class _Protocol(_LenientHTTP11ClientProtocol):
    def request(self, request: Any) -> Deferred[IResponse]:
        answer = super().request(request)
        # As Scrapy does with its own, since Twisted names the class in its code.
        self._parser.__class__ = _Parser
        return answer


class _Factory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: object) -> _Protocol:
        return _Protocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


# TLS ------------------------------------------------------------------------------------------------------------------


@implementer(IPolicyForHTTPS)
class _Certificates:
    """Verifies certificates but those of the hosts that the user named."""

    def __init__(self, verifying: Any, unverified: frozenset[str]) -> None:
        self._verifying = verifying
        self._unverified = unverified

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        if hostname.decode("ascii").lower() in self._unverified:
            return _AnyCertificate(hostname)
        return self._verifying.creatorForNetloc(hostname, port)


@implementer(IOpenSSLClientConnectionCreator)
class _AnyCertificate:
    def __init__(self, hostname: bytes) -> None:
        self._hostname = hostname

    def clientConnectionForTLS(self, protocol: object) -> SSL.Connection:
        connection = SSL.Connection(CertificateOptions(verify=False).getContext(), None)
        connection.set_tlsext_host_name(self._hostname)
        return connection
