"""Every knob of the crawl, with its unit and the reason for its value.

`redline crawl -s KEY=VALUE` sets one for a run. What belongs to a place rather than a run comes from the environment:
REDLINE_ARCHIVE, REDLINE_CONTACT, REDLINE_ALLOW_NETWORKS.
"""

from __future__ import annotations

import os
from importlib.metadata import version

BOT_NAME = "redline"
SPIDER_MODULES = ["crawler.spiders"]
ITEM_PIPELINES = {"crawler.pipelines.ArchivePipeline": 100}

# Ours -----------------------------------------------------------------------------------------------------------------

# The archive to work on.
ARCHIVE = os.environ.get("REDLINE_ARCHIVE", "archive.db")
# True: visit every feed that is not paused and every article that is not gone, due or not.
CRAWL_EVERYTHING = False
# Networks that may be fetched although they are not public, as CIDR with commas between: intranets, tests.
ALLOW_NETWORKS = os.environ.get("REDLINE_ALLOW_NETWORKS", "")
# A URL or address at which a publisher reaches whoever runs this crawl.
CONTACT = os.environ.get("REDLINE_CONTACT", "")
# A TOML file of rules for single sites (crawler/extract/sites.py); empty: none.
SITES = os.environ.get("REDLINE_SITES", "")
# Entries taken from one feed: the largest real ones (sitemaps of a busy day) have about 1,000.
FEED_MAX_ENTRIES = 2000
# Bytes of one page, unpacked: 40 times a usual one. Those of a feed: DOWNLOAD_MAXSIZE.
PAGE_MAX_BYTES = 8 * 2**20
# Steps from a feed's first document to further ones: the pages behind "Show more", the sitemaps of an index (the 20
# newest). Two pages more hold what a busy section publishes in a quarter of an hour several times over.
FEED_MAX_DEPTH = 2
# Documents of one feed in a run: an index with its 20 sitemaps, twice over.
FEED_MAX_DOCUMENTS = 42

# Manners --------------------------------------------------------------------------------------------------------------

# robots.txt is asked for by crawler.middlewares.Manners, and kept in the archive for a day.
USER_AGENT = f"Redline/{version('redline')}" + (f" (+{CONTACT})" if CONTACT else "")
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "Redline"
# Seconds between two requests to a host, one at a time: a site with 300 due articles takes five minutes, so a run of
# 15 minutes has room, and no server notices. An exact gap: jitter would go below it.
DOWNLOAD_DELAY = 1.0
DOWNLOAD_DELAY_JITTER = 0.0
CONCURRENT_REQUESTS_PER_DOMAIN = 1
# Seconds between two requests at most, whatever robots.txt asks for (Crawl-delay): a host that asks for more gets 15
# visits in 15 minutes all the same, and the archive says so.
CRAWL_DELAY_MAX = 60.0
# Requests to one host in a run, 0 for no limit: 15 minutes at one a second, less a tenth. `--all` has no such limit.
HOST_MAX_REQUESTS = 800
# Requests in a run, robots.txt and redirects too; 0: no limit. `redline crawl --max-requests` sets it.
MAX_REQUESTS = 0
# False: a page that asks not to be archived (`noarchive`, in a meta tag or in X-Robots-Tag) is not kept as it was
# received. Its text and its versions are: they are what a reader could see, and what this archive is for.
KEEP_NOARCHIVE = False
# Across hosts: what one process can parse while it waits.
CONCURRENT_REQUESTS = 32
# Threads that look up names, as many as there are requests: a name server that hangs holds one for minutes, whatever
# DNS_TIMEOUT says of the request.
REACTOR_THREADPOOL_MAXSIZE = 32
# Seconds for one answer: finding the host, connecting, and all of the body, however it drips.
DOWNLOAD_TIMEOUT = 30
DNS_TIMEOUT = 10
# Seconds for one visit: all of its redirects, and robots.txt where it was asked for on the way. Two slow answers; the
# waits between two requests to a host are not counted, they are ours.
VISIT_TIMEOUT = 60
REDIRECT_MAX_TIMES = 5
# A visit that failed is recorded and has its next visit; asking again at once is what an overloaded host needs least.
RETRY_ENABLED = False
# The publisher's choice of language, not ours.
DEFAULT_REQUEST_HEADERS = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

# Safety ---------------------------------------------------------------------------------------------------------------

DOWNLOADER_MIDDLEWARES = {
    # First of all, so that no robots.txt is asked of an address that is refused. Redirects pass here on every hop.
    "crawler.middlewares.AddressGuard": 50,
    "crawler.middlewares.Manners": 100,
    # Next to the downloader, before Scrapy follows redirects (600).
    "crawler.middlewares.AnswerGuard": 650,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    # What we have no use for costs CPU at each request, or, as cookies do, 0.1 s when a run begins.
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
}
TWISTED_DNS_RESOLVER = "crawler.middlewares.GuardedResolver"
DOWNLOAD_HANDLERS = {
    "http": "crawler.transport.BoundedHandler",
    "https": "crawler.transport.BoundedHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
# A proxy (http_proxy in the environment) resolves names itself: what it connects to, nobody here has checked.
HTTPPROXY_ENABLED = False
# Bytes of one feed, unpacked. News sitemaps may have 1,000 entries, plain ones 50,000 (10 MB and more).
DOWNLOAD_MAXSIZE = 32 * 2**20
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_VERIFY_CERTIFICATES = True
# Hosts whose certificates are not verified, with commas between; each visit says so (captures.tls_unverified). For a
# publisher who let one expire and whom you cannot wait for: whoever sits between could then write the pages.
TLS_UNVERIFIED_HOSTS = ""
COOKIES_ENABLED = False
REFERER_ENABLED = True
REFERRER_POLICY = "no-referrer"
# Both are on by default; the second runs Python code that is sent to it.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
METAREFRESH_ENABLED = False

# The engine -----------------------------------------------------------------------------------------------------------

# One answer gives one capture: Scrapy starts that many tasks for each, 100 by default.
CONCURRENT_ITEMS = 1
# Each of these would wrap once more what the spider gives. Without HttpError every status reaches it: a 304, 404 or 410
# is news to us. How deep to go, the spider decides, and how long a URL may be, crawler.urls.
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
}
# The archive says what is due, each article once; the feed of an article may well be the article of another feed.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
# What has waited longest goes first; Scrapy's default is the last in, first out of a depth-first crawl.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
# And nothing leaves the queue before its host can take it.
SCHEDULER_PRIORITY_QUEUE = "crawler.middlewares.HostQueue"
# Silent unless asked: cron mails whatever is printed.
LOG_ENABLED = False
LOGSTATS_INTERVAL = 0
EXTENSIONS = {
    "scrapy.extensions.logstats.LogStats": None,
    # Off as above; not to be loaded either.
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.telnet.TelnetConsole": None,
}
