"""What stands around articles: by it a reading is settled against the version before, and furniture is learned."""

from __future__ import annotations

from collections import defaultdict

from crawler import extract
from crawler.archive import versions
from crawler.archive.file import File
from crawler.errors import NotFound
from crawler.items import Article, Capture, Version
from crawler.rows import as_text
from crawler.wavering import Settled, fingerprint, furniture_key, holds, settle

# A line is a site's furniture when it stands around three other articles of it; its latest 200 pages are looked at.
_FURNITURE_PAGES = 3
_PAGES_COMPARED = 200


class Surroundings:
    """The pages of each host as they were at the latest visits, in the file and by this process."""

    def __init__(self, file: File) -> None:
        self._file = file
        # host -> article -> fingerprint of its page at its latest visit by this process
        self._seen: defaultdict[str, dict[int, bytes]] = defaultdict(dict)

    def look(self, host: str, capture: Capture, article: Article) -> None:
        """Remember what stands around an article now."""
        pages = self._seen[host]
        pages.pop(capture.article_id, None)
        pages[capture.article_id] = fingerprint(capture.lines, article)
        if len(pages) > _PAGES_COMPARED:
            del pages[next(iter(pages))]

    def keep(self, host: str, article_id: int) -> None:
        """Write down what was last seen around an article."""
        self._file.run(
            "INSERT INTO page_lines (article_id, hashes) VALUES (?, ?)"
            " ON CONFLICT (article_id) DO UPDATE SET hashes = excluded.hashes",
            *(article_id, self._seen[host][article_id]),
        )

    def settle(self, host: str, capture: Capture, article: Article, latest: Version) -> Settled:
        """Return a reading that differs from the latest version without what only wavered, and without furniture.

        The page behind the latest version is read once more for it.
        """
        try:
            body, content_type = versions.payload(self._file, latest.id)
            headers = {"Content-Type": content_type} if content_type else {}
            old_lines = extract.visible_text(body, headers=headers).split("\n")
            around = b""
        except NotFound:
            # The page was pruned, or its publisher asked that it not be kept: what stood around the article is known.
            row = self._file.row("SELECT hashes FROM page_lines WHERE article_id = ?", capture.article_id)
            old_lines, around = [], row["hashes"] if row else b""
        there, here = ({extract.comparable(line) for line in lines} for lines in (old_lines, capture.lines))

        def is_furniture(text: str) -> bool:
            return self._is_furniture(host, text, capture)

        def stood_around(text: str) -> bool:
            key = furniture_key(text)
            return bool(key) and holds(around, key)

        return settle(
            latest.article,
            article,
            was_there=lambda text: extract.comparable(text) in there or stood_around(text) or is_furniture(text),
            is_there=lambda text: extract.comparable(text) in here or is_furniture(text),
        )

    def _is_furniture(self, host: str, text: str, capture: Capture) -> bool:
        """Return whether a text belongs to the site; learn it if it stands on enough of the site's other pages."""
        key = furniture_key(text)
        if not key:
            return False
        learned = self._file.row("SELECT overruled_at FROM furniture WHERE host = ? AND key = ?", host, key)
        if learned is not None:
            return learned["overruled_at"] is None
        stored = self._file.rows(
            "SELECT l.article_id, l.hashes FROM page_lines AS l JOIN articles AS a ON a.id = l.article_id"
            " WHERE a.host = ? ORDER BY a.id DESC LIMIT ?",
            *(host, _PAGES_COMPARED),
        )
        around = [(row["article_id"], row["hashes"]) for row in stored] + list(self._seen[host].items())
        pages = len({other for other, hashes in around if other != capture.article_id and holds(hashes, key)})
        if pages < _FURNITURE_PAGES:
            return False
        self._file.run(
            "INSERT INTO furniture (host, key, example, pages, learned_at) VALUES (?, ?, ?, ?, ?)",
            *(host, key, text, pages, as_text(capture.captured_at)),
        )
        return True
