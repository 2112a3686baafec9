"""Stories as their outlets print them: what a path of an outlet answers in a round. Pure: the same in, the same out."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from string import Template
from typing import Any
from xml.etree import ElementTree as ET

from .press import NOISE_ROUND, Outlet, Story

HTML = "text/html; charset=utf-8"
SECTION_PAGE_SIZE = 3

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"
ET.register_namespace("dc", _DC)
ET.register_namespace("media", _MEDIA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a path gives: `location` is set for a redirect alone."""

    status: int = 200
    content_type: str = HTML
    body: bytes = b""
    location: str = ""


def answer(outlet: Outlet, base: str, path: str, round: int) -> Answer:
    """Return what `path` (without a query) of an outlet gives in a round; `base` is its origin, without a slash."""
    stories = outlet.stories_at(round)
    standing = [story for story in stories if not story.is_removed]
    fixed: dict[str, Callable[[], Answer]] = {
        "/": lambda: _html(_template(outlet, "front.html").substitute(_front(outlet, base, standing, round))),
        "/robots.txt": lambda: Answer(content_type="text/plain; charset=utf-8", body=_robots(outlet)),
        outlet.config["feed"]["path"]: lambda: _feed(outlet, base, standing),
    }
    if path in fixed:
        return fixed[path]()
    for story in stories:
        if path in story.old_paths:
            return Answer(status=301, location=base + story.path)
        if path == story.path:
            name = "gone.html" if story.is_removed else "article.html"
            page = _template(outlet, name).substitute(_article(outlet, base, story, round))
            return _html(page, status=410 if story.is_removed else 200)
    if section := _section(outlet, base, standing, path, round):
        return section
    if path.startswith("/images/"):
        return Answer(content_type="image/svg+xml", body=(outlet.folder / "picture.svg").read_bytes())
    return _html(_template(outlet, "missing.html").substitute(_masthead(outlet, base)), status=404)


def _html(page: str, status: int = 200) -> Answer:
    return Answer(status=status, body=page.encode())


def _template(outlet: Outlet, name: str) -> Template:
    return Template((outlet.folder / name).read_text(encoding="utf-8"))


def _robots(outlet: Outlet) -> bytes:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in outlet.config["disallow"]), ""]
    return "\n".join(lines).encode()


# ---------------------------------------------------------------------------------------------------- pages


def _masthead(outlet: Outlet, base: str, language: str = "") -> dict[str, str]:
    """Return what every page of the outlet says, in the words of a language: the outlet's own unless given."""
    config = outlet.config
    language = language or config["language"]
    return {
        "base": base,
        "title": config["title"],
        "tagline": config["tagline"],
        "feed": base + config["feed"]["path"],
        "lang": language,
        "dir": "rtl" if language == "ar" else "ltr",
        **config["words"][language],
    }


def _front(outlet: Outlet, base: str, stories: Sequence[Story], round: int) -> dict[str, str]:
    return {**_masthead(outlet, base), **_furniture(outlet, "/", round), "cards": _cards(outlet, base, stories, "card")}


def _section(outlet: Outlet, base: str, stories: Sequence[Story], path: str, round: int) -> Answer | None:
    """Return a page of the outlet's list of all its news, and None where the path is none of them."""
    if "section_page" not in outlet.config:
        return None
    first: str = outlet.config["section_page"]
    paths = [first] + [f"{first}page/{n}/" for n in range(2, (len(stories) - 1) // SECTION_PAGE_SIZE + 2)]
    if path not in paths:
        return None
    number = paths.index(path)
    shown = stories[number * SECTION_PAGE_SIZE : (number + 1) * SECTION_PAGE_SIZE]
    more = ""
    if number + 1 < len(paths):
        more = Template(outlet.config["markup"]["more"]).substitute(next=paths[number + 1])
    context = {**_masthead(outlet, base), **_furniture(outlet, path, round), "path": path, "more": more}
    return _html(
        _template(outlet, "section.html").substitute(context, cards=_cards(outlet, base, shown, "section_card"))
    )


def _cards(outlet: Outlet, base: str, stories: Iterable[Story], markup: str) -> str:
    card = Template(outlet.config["markup"][markup])
    return "\n".join(card.substitute(_facts(outlet, base, story)).strip() for story in stories)


def _facts(outlet: Outlet, base: str, story: Story) -> dict[str, str]:
    """Return what is told about a story wherever it is named: escaped text, and `..._json` for scripts."""
    modified = story.modified or story.published
    facts = {
        "url": base + story.path,
        "path": story.path,
        "id": story.id,
        "headline": story.headline,
        "standfirst": story.standfirst,
        "author": story.author,
        "role": story.role,
        "section": story.section,
        "tags": ", ".join(story.tags),
        "published_iso": story.published.isoformat(),
        "modified_iso": modified.isoformat(),
        "published_text": _date(outlet, story.published, story.language),
        "modified_text": _date(outlet, modified, story.language),
        "image": f"{base}/images/{story.figure.file}.svg",
        "caption": story.figure.caption,
        "credit": story.figure.credit,
    }
    scripts = {f"{key}_json": json.dumps(value, ensure_ascii=False) for key, value in facts.items()}
    scripts["tags_json"] = json.dumps(story.tags, ensure_ascii=False)
    return {key: html.escape(value) for key, value in facts.items()} | scripts


def _article(outlet: Outlet, base: str, story: Story, round: int) -> dict[str, str]:
    markup = {name: Template(text) for name, text in outlet.config["markup"].items()}
    words = _masthead(outlet, base, story.language)
    context = {**words, **_facts(outlet, base, story), **_furniture(outlet, story.path, round)}
    context["related"] = _related(outlet, base, story, round)
    noisy = round >= NOISE_ROUND
    printed = [
        _block(markup, text, context["build"], noisy) for text in story.blocks
    ]  # then, from the back, what stands between the paragraphs
    printed.insert(min(5, len(printed) - 1), markup["newsletter"].substitute(context).strip())
    printed.insert(3, markup["ad"].substitute(context).strip())
    notice = markup["notice"].substitute(context, text=_text(story.notice, noisy)).strip() if story.notice else ""
    updated = markup["updated"].substitute(context).strip() if story.modified else ""
    tags = "".join(markup["tag"].substitute(tag=html.escape(tag), base=base) for tag in story.tags)
    elements = json.dumps([{"type": "text", "content": text} for text in story.blocks], ensure_ascii=False)
    between = "\n\n\t\t\t" if noisy else "\n"
    iso = (story.modified or story.published).isoformat()
    return context | {
        "modified_meta": f'<meta property="article:modified_time" content="{iso}">' if story.prints_modified else "",
        "modified_member": f'"dateModified":"{iso}",' if story.prints_modified else "",
        "body": between.join(printed),
        "blocks_json": elements,
        "notice": notice,
        "updated": updated,
        "tag_links": tags,
    }


def _block(markup: dict[str, Template], text: str, build: str, noisy: bool) -> str:
    for sign, name in (("## ", "heading"), ("> ", "quote"), ("- ", "item")):
        if text.startswith(sign):
            return markup[name].substitute(text=_text(text.removeprefix(sign), noisy), build=build).strip()
    return markup["paragraph"].substitute(text=_text(text, noisy), build=build).strip()


def _text(text: str, noisy: bool) -> str:
    """Return a text as HTML; `noisy` writes the same text in other bytes: line breaks, padding, entities."""
    text = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', html.escape(text, quote=False))
    if not noisy:
        return text
    text = re.sub(r"[’‘“”«»「」—–…]", lambda match: f"&#{ord(match[0])};", text)
    words = text.split(" ")
    lines = [" ".join(words[start : start + 11]) for start in range(0, len(words), 11)]
    return "\n\t\t\t\t" + "\n\t\t\t\t".join(lines) + "\n\t\t\t"


def _furniture(outlet: Outlet, path: str, round: int) -> dict[str, str]:
    """Return what stands around the text and differs from one noise to the next: never news, never an edit."""
    turn = int(round >= NOISE_ROUND)
    seed = f"{outlet.name}{path}{turn}"
    ads: list[str] = outlet.config["ads"]
    return {
        "advert": ads[(_number(f"{outlet.name}{path}", len(ads)) + turn) % len(ads)],
        "views": str(200 + _number(f"views{outlet.name}{path}", 900) + turn * 1377),
        "comments": str(2 + _number(f"comments{outlet.name}{path}", 9) + turn * 14),
        "shares": str(5 + _number(f"shares{outlet.name}{path}", 40) + turn * 63),
        "hours": str(2 + turn * 2),
        "nonce": hashlib.sha256(f"nonce{seed}".encode()).hexdigest()[:16],
        "build": hashlib.sha256(f"build{outlet.name}{turn}".encode()).hexdigest()[:7],
    }


def _related(outlet: Outlet, base: str, story: Story, round: int) -> str:
    """Return three other stories under the headlines they were first published with, as a site's cache would."""
    others = [other for other in outlet.stories_at(0) if other.id != story.id]
    start = 2 if round >= NOISE_ROUND else 0
    shown = (others[start:] + others[:start])[:3]
    return _cards(outlet, base, shown, "related_item")


def _number(seed: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) % below


def _date(outlet: Outlet, at: datetime, language: str) -> str:
    months: list[str] = outlet.config["months"][language]
    words: str = outlet.config["words"][language]["date"]
    return words.format(day=at.day, month=months[at.month - 1], year=at.year, hour=at.hour, minute=at.minute)


# ---------------------------------------------------------------------------------------------------- feeds


def _feed(outlet: Outlet, base: str, stories: Sequence[Story]) -> Answer:
    match outlet.config["feed"]["format"]:
        case "rss":
            return Answer(content_type="application/rss+xml; charset=utf-8", body=_rss(outlet, base, stories))
        case "atom":
            return Answer(content_type="application/atom+xml; charset=utf-8", body=_atom(outlet, base, stories))
        case "json":
            return Answer(content_type="application/feed+json", body=_json_feed(outlet, base, stories))
        case other:
            raise ValueError(f"{outlet.name}: no feed format {other!r}")


def _modified(stories: Iterable[Story]) -> datetime:
    return max(story.modified or story.published for story in stories)


def _rss(outlet: Outlet, base: str, stories: Sequence[Story]) -> bytes:
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    for tag, text in (
        ("title", outlet.config["title"]),
        ("link", base + "/"),
        ("description", outlet.config["tagline"]),
        ("language", outlet.config["language"]),
        ("lastBuildDate", format_datetime(_modified(stories))),
        ("ttl", "15"),
    ):
        ET.SubElement(channel, tag).text = text
    for story in stories:
        item = ET.SubElement(channel, "item")
        for tag, text in (
            ("title", story.headline),
            ("description", story.standfirst),
            ("link", base + story.path),
            ("guid", story.id),
            ("category", story.section),
            (f"{{{_DC}}}creator", story.author),
            ("pubDate", format_datetime(story.published)),
        ):
            ET.SubElement(item, tag).text = text
        item[3].set("isPermaLink", "false")
        ET.SubElement(item, f"{{{_MEDIA}}}content", url=f"{base}/images/{story.figure.file}.svg", medium="image")
    return _xml(root)


def _atom(outlet: Outlet, base: str, stories: Sequence[Story]) -> bytes:
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": outlet.config["language"]})
    ET.SubElement(root, "title").text = outlet.config["title"]
    ET.SubElement(root, "subtitle").text = outlet.config["tagline"]
    ET.SubElement(root, "id").text = f"tag:{outlet.config['domain']},2026:feed"
    ET.SubElement(root, "updated").text = _modified(stories).isoformat()
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=base + "/")
    ET.SubElement(root, "link", rel="self", type="application/atom+xml", href=base + outlet.config["feed"]["path"])
    for story in stories:
        entry = ET.SubElement(root, "entry", {"xml:lang": story.language})
        ET.SubElement(ET.SubElement(entry, "author"), "name").text = story.author
        ET.SubElement(entry, "title", type="html").text = html.escape(story.headline, quote=False)
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=base + story.path)
        ET.SubElement(entry, "id").text = f"tag:{outlet.config['domain']},2026:{story.id}"
        ET.SubElement(entry, "published").text = story.published.isoformat()
        ET.SubElement(entry, "updated").text = (story.modified or story.published).isoformat()
        ET.SubElement(entry, "category", term=story.section)
        ET.SubElement(entry, "summary", type="html").text = f"<p>{html.escape(story.standfirst, quote=False)}</p>"
    return _xml(root)


def _xml(root: ET.Element) -> bytes:
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _json_feed(outlet: Outlet, base: str, stories: Sequence[Story]) -> bytes:
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.config["title"],
        "home_page_url": base + "/",
        "feed_url": base + outlet.config["feed"]["path"],
        "description": outlet.config["tagline"],
        "language": outlet.config["language"],
        "items": [
            {
                "id": f"{outlet.config['domain']}:{story.id}",
                "url": base + story.path,
                "title": story.headline,
                "summary": story.standfirst,
                "content_text": story.standfirst,
                "image": f"{base}/images/{story.figure.file}.svg",
                "date_published": story.published.isoformat(),
                "date_modified": (story.modified or story.published).isoformat(),
                "authors": [{"name": story.author}],
                "tags": [story.section, *story.tags],
            }
            for story in stories
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=2).encode()
