"""Web pages: the feeds that one announces, and the articles that a section page lists.

No site is known by name here. A link counts as one to an article by what it is: where it stands (in a heading, in a
card that is repeated), how its address looks (several words, a date, a number), how long its text is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from crawler import urls
from crawler.errors import FeedError
from crawler.feeds import body
from crawler.feeds.entries import MAX_TITLE_CHARS, Entries, instant
from crawler.items import Feed, FeedFormat, FeedLink

MIN_ARTICLES = 3  # fewer do not repeat, and an error page may link to one or two
MAX_MORE = 10  # further pages; older ones hold what was there before the page was watched
MAX_DEPTH = 512  # levels; browsers stop at 512, and BeautifulSoup's walks from a tag take time by its depth

FEED_TYPES = frozenset({
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/rss",
    "application/atom", "text/rss+xml", "text/rss", "text/atom+xml", "application/x.atom+xml", "application/x-rss+xml",
})  # fmt: skip
_MAYBE_FEED_TYPES = frozenset({"application/json", "application/xml", "text/xml", ""})
# "/news-feed/" is a page for readers as a rule, "/news-feed.xml" a feed.
_FEED_PATH = re.compile(
    r"(?:^|/)(?:rss2?|atom|rdf|feed)/?$"
    r"|(?:^|[/._-])(?:rss2?|atom|rdf|feed|news-?sitemap|sitemap-?news)\.(?:xml|json|rss|atom|rdf|php|aspx)$"
    r"|\.(?:rss|atom|rdf)$",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"(?i)comment|kommentar|commentaire|comentario|комментар|комент|/wp-json/|oembed")

_WORDS = re.compile(r"[^\W_]+")
_DATE_IN_PATH = re.compile(r"/(?:19|20)[0-9]{2}(?:[/-]?(?:0[1-9]|1[0-2]|[a-z]{3}))(?:[/-]?[0-3][0-9])?(?![0-9])")
_NUMBER_IN_PATH = re.compile(r"[0-9]{5,}")
_NOT_ARTICLE_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|pdf|xml|rss|atom|json|mp[34]|zip|css|js|ics)$", re.IGNORECASE
)
# Parts of paths that never hold articles.
_NOT_ARTICLE_PATH = re.compile(
    r"/(?:tags?|tagged|authors?|autor(?:en|es)?|auteurs?|avtor|writers?|profiles?|users?|categor(?:y|ies|ia|ias|ie)|kategorie"
    r"|topics?|themen|temas|search|suche|login|signin|register|account|subscribe|subscriptions?|newsletters?|privacy"
    r"|privacy-policy|terms|terms-[a-z-]+|about|about-us|contact|contact-us|kontakt|impressum|datenschutz|advertis[a-z-]+"
    r"|careers|faq|donate|membership|cookies?|cookie-policy|feeds?|rss|wp-content|wp-login\.php)(?:/|$)",
    re.IGNORECASE,
)
_AROUND = frozenset({"nav", "footer", "form", "noscript", "template", "select", "dialog"})
_AROUND_ROLES = frozenset({"navigation", "menu", "menubar", "contentinfo", "banner", "search", "dialog"})
# Words of class and id that tell what a box is; whole words, so that "navy" and "thread" pass.
_AROUND_WORD = re.compile(
    r"(?<![a-z])(?:nav|navbar|navigation|menu|submenu|footer|breadcrumbs?|cookie|consent|newsletter|subscribe|social"
    r"|share|sharing|ads?|advert|advertisement|sponsored|sponsor|promoted|promo|partner|taboola|outbrain|tags|taglist"
    r"|byline|authors?|comments|login|signup)(?![a-z])"
)
_CARD_LEVELS = 6  # boxes that a card is deep, from a link outwards; real ones have two to five
_SHORT_NODES = 60  # tags and texts that are read of a link: a headline with its picture, kicker and icons has some 20
_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]

_MORE = re.compile(
    r"(?:show|load|view|see|read)?\s?more(?: (?:news|stories|articles|posts|results))?|next(?: page)?"
    r"|older(?: (?:posts|news))?"
    r"|mehr(?: (?:anzeigen|laden|artikel))?|weitere(?: artikel| laden)?|nächste(?: seite)?|ältere beiträge"
    r"|(?:voir|afficher|charger) plus|plus d'articles|(?:page )?suivante?|articles plus anciens"
    r"|(?:ver|mostrar|cargar|carregar) m[aá]i?s|siguiente|próxim[ao]|carica altri|mostra altr[io]|successiv[ao]"
    r"|(?:toon|laad) meer|volgende|visa fler|nästa|vis mere|næste|pokaż więcej|następna|další|načíst další"
    r"|показати (?:ще|більше)|більше новин|завантажити ще|наступна|далі"
    r"|показать (?:еще|ещё)|загрузить (?:еще|ещё)|ещё|далее|следующая|daha fazla(?: göster)?|sonraki"
    r"|المزيد|عرض المزيد|تحميل المزيد|التالي|נוסף|עוד|הבא|और देखें|अगला"
    r"|もっと見る|次へ|次のページ|さらに読み込む|더보기|다음|查看更多|加载更多|更多|下一页|下一頁|載入更多",
    re.IGNORECASE,
)
_PAGE_IN_PATH = re.compile(r"/(?:page|seite|pagina|página|strana|p)/?([0-9]{1,5})/?$", re.IGNORECASE)
_PAGED_SYSTEM = re.compile(r"\s*(?:ghost|wordpress)", re.IGNORECASE)
_PAGE_PARAMETERS = frozenset({"page", "p", "paged", "pg", "seite", "pagina", "pageno", "currentpage"})


def _soup(text: str) -> BeautifulSoup:
    """Return the page as a tree. Raises `FeedError` when it is nested deeper than `MAX_DEPTH`."""
    # An XML declaration makes BeautifulSoup warn that XHTML is XML; browsers read it as HTML all the same.
    soup = BeautifulSoup(text.replace("<?", "<!"), "lxml")
    depths = {id(soup): 0}
    for tag in soup.find_all(True):
        depths[id(tag)] = depth = depths[id(tag.parent)] + 1
        if depth > MAX_DEPTH:
            raise FeedError(f"this web page nests over {MAX_DEPTH} levels deep: watch the outlet's RSS feed instead")
    return soup


def _base(soup: BeautifulSoup, url: str) -> str:
    return urls.clean(_attribute(soup.find("base", href=True), "href"), url) or url


def _attribute(tag: object, name: str) -> str:
    """Return an attribute as one string; "" where there is none."""
    value = tag.get(name) if isinstance(tag, Tag) else None
    return " ".join(value) if isinstance(value, list) else (value or "")


def feed_address(href: str, base: str | None) -> str | None:
    """Return the address of a feed, `feed://host` and `feed:https://host` read as what they mean."""
    href = href.strip()
    if href[:5].lower() == "feed:":
        href = href[5:]
        href = f"http:{href}" if href.startswith("//") else href
    return urls.clean(href, base)


def discover(document: bytes, url: str) -> list[FeedLink]:
    """Return the feeds that a page announces, in the order of the page: its `<link>`s, then links that look like feeds.

    Feeds of comments come last. Empty for a body that is no page.
    """
    try:
        text = body.text_of(body.gunzipped(document), None)
        return _announced(_soup(text), url) if "<" in text else []
    except FeedError:
        return []


def _announced(soup: BeautifulSoup, url: str) -> list[FeedLink]:
    base = _base(soup, url)
    links: dict[str, FeedLink] = {}
    for tag in [*soup.find_all("link", href=True), *soup.find_all("a", href=True)]:
        href, title = _attribute(tag, "href"), _attribute(tag, "title")
        type = _attribute(tag, "type").partition(";")[0].strip().lower()
        if tag.name == "link":
            rel = set(_attribute(tag, "rel").lower().split())
            is_feed = bool(rel & {"alternate", "feed"}) and "stylesheet" not in rel and (
                type in FEED_TYPES or (type in _MAYBE_FEED_TYPES and ("feed" in rel or _looks_like_feed(href)))
            )  # fmt: skip
        else:
            is_feed = type in FEED_TYPES or href.lower().startswith("feed:") or _looks_like_feed(href)
            title = title or _short_text(tag)
        address = feed_address(href, base) if is_feed else None
        if address is not None and urls.key(address) != urls.key(url):
            link = FeedLink(url=address, title=" ".join(title.split())[:MAX_TITLE_CHARS], site_url=urls.clean(url))
            links.setdefault(urls.key(address), link)
    return sorted(links.values(), key=lambda link: bool(_COMMENTS.search(f"{link.url} {link.title}")))


def _looks_like_feed(href: str) -> bool:
    try:
        parts = urlsplit(href[: urls.MAX_URL_CHARS])
    except ValueError:
        return False
    return bool(_FEED_PATH.search(parts.path)) or parts.query.lower() in ("feed=rss2", "feed=rss", "feed=atom")


def guesses(url: str) -> list[str]:
    """Return the places where a site that announces no feed most often has one, the most likely first.

    Below the section that `url` names, then at the top: WordPress and Ghost, static sites, Arc and other news systems,
    last the sitemaps.
    """
    here = urls.clean(url)
    if here is None:
        return []
    section = urlsplit(here).path.rstrip("/")
    paths = [f"{section}/feed/", f"{section}/rss.xml"] if section else []
    paths += ["/feed/", "/rss.xml", "/rss/", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json"]
    paths += ["/arc/outboundfeeds/rss/", "/news-sitemap.xml", "/sitemap-news.xml", "/sitemap.xml"]
    found = [urls.clean(path, here) for path in paths]
    return list(dict.fromkeys(address for address in found if address))


def read(text: str, url: str, max_entries: int) -> Feed:
    """Return the articles that a section page lists. Raises `FeedError` when it lists fewer than `MIN_ARTICLES`."""
    soup = _soup(text)
    entries = Entries(url, max_entries)
    articles = _articles(soup, url)
    if len(articles) < _least(url):
        feeds = [link.url for link in _announced(soup, url)][:5]
        if feeds:
            raise FeedError(f"this is a web page without a list of articles; its feeds are {', '.join(feeds)}")
        raise FeedError(
            "this is a web page that announces no feed and lists no articles:"
            " look for the outlet's RSS address or its page of latest news"
        )
    for article in articles:
        entries.add(url=article.url, title=article.title, published=article.published)
    html = soup.find("html")
    title = soup.find("title")
    return Feed(
        url=url,
        format=FeedFormat.PAGE,
        title=" ".join(title.get_text().split())[:MAX_TITLE_CHARS] if title else "",
        site_url=urls.clean("/", url),
        language=_attribute(html, "lang")[:35] or None,
        entries=entries.result(),
        more=_more(soup, url),
        warnings=entries.warnings(),
    )


@dataclass(slots=True)
class _Article:
    """What the links of a page to one address say together."""

    url: str
    title: str = ""
    published: str = ""
    points: int = 0
    text_points: int = 0


class _Link(NamedTuple):
    """A link that may lead to an article."""

    tag: Tag
    address: str
    identity: str
    points: int
    shape: tuple[str, ...]


def _articles(soup: BeautifulSoup, url: str) -> list[_Article]:
    """Return the articles to which a page links, in its order.

    A link needs four points. Address: a date, four words, or a number with words gives 2, three words or a number 1.
    Text: in or around a heading 2, long 1. Place: in a card of a kind that occurs three times 1, a time beside it 1.
    """
    base, own = _base(soup, url), urls.key(url)
    found: list[_Link] = []
    around: dict[int, bool] = {}
    addresses_in: dict[int, set[str]] = {}
    time_in: dict[int, str] = {}
    heading_in: dict[int, Tag] = {}
    # What a box holds is noted from inside outwards: to search each box would take quadratic time where boxes nest.
    for tag in soup.find_all(["time", *_HEADINGS]):
        for box in islice(_upwards(tag), _CARD_LEVELS):
            if tag.name == "time":
                time_in.setdefault(id(box), _attribute(tag, "datetime"))
            else:
                heading_in.setdefault(id(box), tag)
    for tag in soup.find_all("a", href=True):
        address = urls.clean(_attribute(tag, "href"), base)
        if address is None:
            continue
        identity, points = urls.key(address), _address_points(address)
        if points and identity != own and urls.same_site(address, url) and not _is_around(tag, around):
            for box in islice(_upwards(tag), _CARD_LEVELS):
                addresses_in.setdefault(id(box), set()).add(identity)
            found.append(_Link(tag, address, identity, points, _shape(tag)))
    shapes = Counter(link.shape for link in found)
    articles: dict[str, _Article] = {}
    for link in found:
        article = articles.setdefault(link.identity, _Article(link.address))
        # A card is what belongs to one article: the boxes around its link that hold no other article's.
        card = [box for box in islice(_upwards(link.tag), _CARD_LEVELS) if len(addresses_in[id(box)]) == 1]
        heading = heading_in.get(id(link.tag)) or next((box for box in card if box.name in _HEADINGS), None)
        text = _short_text(heading or link.tag) or _attribute(link.tag, "aria-label") or _attribute(link.tag, "title")
        points = link.points
        # Chinese, Japanese and Korean say in one letter what takes two or three elsewhere.
        length = sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
        if length >= 20 or (heading and length >= 8):
            points += 2 * bool(heading) + (length >= 25)
            if points > article.text_points:
                article.title, article.text_points = text, points
        time = next((time_in[id(box)] for box in card if id(box) in time_in), None)
        points += (shapes[link.shape] >= _least(url)) + (time is not None)
        article.points = max(article.points, points)
        article.published = article.published or (time if time and instant(time) else "")
    return [article for article in articles.values() if article.points >= 4 and article.title]


def _least(url: str) -> int:
    """Return how many articles make a list: the last page behind "Show more" may hold a single one."""
    return MIN_ARTICLES if _page_number(url) == 1 else 1


def _address_points(address: str) -> int:
    parts = urlsplit(address)
    path = unquote(parts.path)
    if _NOT_ARTICLE_PATH.search(path) or _NOT_ARTICLE_FILE.search(path) or _PAGE_IN_PATH.search(path):
        return 0
    last = max(path.rstrip("/").split("/")[-2:], key=len)
    words = len(_WORDS.findall(re.sub(r"\.[a-z]{3,5}$", "", last)))
    has_number = bool(_NUMBER_IN_PATH.search(path) or re.search(r"(?:^|&)[a-z_]*id=[0-9a-z]*[0-9]", parts.query))
    if _DATE_IN_PATH.search(path) or words >= 4 or (has_number and words >= 2):
        return 2
    return 1 if words >= 3 or has_number else 0


def _is_around(tag: Tag, known: dict[int, bool]) -> bool:
    """Return whether a link stands in what surrounds the content: menus, footers, bylines, advertisements."""
    path: list[int] = []
    answer = False
    for box in _upwards(tag):
        if (cached := known.get(id(box))) is not None:
            answer = cached
            break
        path.append(id(box))
        names = f"{_attribute(box, 'class')} {_attribute(box, 'id')}"[:500].lower()
        if (
            box.name in _AROUND
            or _attribute(box, "role").lower() in _AROUND_ROLES
            or (box.name not in ("body", "html", "main", "article") and _AROUND_WORD.search(names))
        ):
            answer = True
            break
    known.update(dict.fromkeys(path, answer))
    return answer


def _upwards(tag: Tag) -> Iterator[Tag]:
    box: Tag | None = tag
    while box is not None and not isinstance(box, BeautifulSoup):
        yield box
        box = box.parent


def _shape(link: Tag) -> tuple[str, ...]:
    """Return what repeated cards have in common: the names and first classes of the four boxes around a link."""
    return tuple(f"{box.name}.{_attribute(box, 'class')[:100].partition(' ')[0]}" for box in islice(_upwards(link), 4))


def _short_text(tag: Tag) -> str:
    """Return the text of a link or heading; of a box that holds half a page, the start."""
    pieces = [node for node in islice(tag.descendants, _SHORT_NODES) if type(node) is NavigableString]
    return " ".join(" ".join(pieces)[: 4 * MAX_TITLE_CHARS].split())[:MAX_TITLE_CHARS]


def _more(soup: BeautifulSoup, url: str) -> tuple[str, ...]:
    """Return the pages behind this one, the next first: by rel=next, by their numbers, by a link that says "more".

    Where a script holds the address of such a button, Ghost's and WordPress's is known: `page/2/`.
    """
    base, here, own = _base(soup, url), _page_number(url), _unpaged(url)
    generator = _attribute(soup.find("meta", attrs={"name": "generator"}), "content")
    declared: list[str] = []
    said: list[str] = []
    numbered: dict[int, str] = {}
    for tag in soup.find_all(["link", "a", "button"]):
        href = next(
            filter(None, (_attribute(tag, name) for name in ("href", "data-href", "data-url", "data-next"))), ""
        )
        says_more = tag.name != "link" and bool(_MORE.fullmatch(_short_text(tag).strip(" .…›»→>↓+")))
        if says_more and href in ("", "#") and _PAGED_SYSTEM.match(generator):
            href = f"{urlsplit(url).path.rstrip('/')}/page/{here + 1}/" if here == 1 else ""
        address = urls.clean(href, base) if href else None
        if address is None or not urls.same_site(address, url) or urls.key(address) == urls.key(url):
            continue
        if "next" in _attribute(tag, "rel").lower().split():
            declared.append(address)
        elif tag.name != "link" and _unpaged(address) == own:
            if (number := _page_number(address)) > here:
                numbered.setdefault(number, address)
            elif says_more:
                said.append(address)
    found = [*declared[:1], *(numbered[number] for number in sorted(numbered)), *(said if not numbered else ())]
    return tuple({urls.key(address): address for address in reversed(found)}.values())[::-1][:MAX_MORE]


def _page_number(url: str) -> int:
    parts = urlsplit(url)
    if match := _PAGE_IN_PATH.search(unquote(parts.path)):
        return int(match[1])
    numbers = [value for name, value in parse_qsl(parts.query) if name.lower() in _PAGE_PARAMETERS]
    return int(numbers[0]) if numbers and re.fullmatch("[0-9]{1,5}", numbers[0]) else 1


def _unpaged(url: str) -> str:
    parts = urlsplit(url)
    return urls.key(f"{parts.netloc}{_PAGE_IN_PATH.sub('', unquote(parts.path))}")
