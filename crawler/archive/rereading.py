"""Pages as they were received, read again: what would a better extractor have seen? Was what is held an edit to it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crawler import extract, wavering
from crawler.archive import versions
from crawler.archive.file import File
from crawler.diff import diff
from crawler.diff.summary import summary
from crawler.errors import NotFound
from crawler.extract.sites import SiteRule, rule_for
from crawler.items import Article, Capture, Reread, Version


def reread(file: File, *, write: bool, rules: Sequence[SiteRule]) -> Iterator[Reread]:
    """Read the page behind each article's latest version again; with `write`, store what reads otherwise."""
    for row in file.rows("SELECT id FROM articles WHERE versions > 0 ORDER BY id"):
        latest = versions.latest(file, row["id"])
        assert latest is not None
        page_again = _read_again(file, latest, rules)
        if page_again is None:
            yield Reread(url=latest.article.url, number=latest.number, is_kept=False)
            continue
        article, _ = page_again
        differs = diff(latest.article, article)
        is_same = extract.digest(article) == versions.digest_today(latest) or differs.is_empty
        if not is_same and write:
            with file.transaction():
                page = Capture(article_id=row["id"], url=latest.article.url, captured_at=latest.last_seen)
                digest = extract.digest(article)
                versions.append(file, page, article, digest, latest, reread_of=latest.id)
                file.run("UPDATE articles SET versions = versions + 1 WHERE id = ?", row["id"])
        yield Reread(
            url=latest.article.url, number=latest.number, is_kept=True, differs="" if is_same else summary(differs)
        )


def is_edit(file: File, version_id: int, rules: Sequence[SiteRule]) -> bool:
    """Whether a held change is an edit to today's extractor too; one whose pages are not kept is taken for one."""
    before, after = (_read_again(file, version, rules) for version in versions.step(file, version_id))
    if before is None or after is None:
        return True
    (old, old_lines), (new, new_lines) = before, after
    there, here = ({extract.comparable(line) for line in lines} for lines in (old_lines, new_lines))
    settled = wavering.settle(
        old,
        new,
        was_there=lambda text: extract.comparable(text) in there,
        is_there=lambda text: extract.comparable(text) in here,
    )
    return extract.digest(settled.article) != extract.digest(old)


def _read_again(file: File, version: Version, rules: Sequence[SiteRule]) -> tuple[Article, tuple[str, ...]] | None:
    """Return the article and all lines that today's extractor reads behind a version; None if it is not kept."""
    try:
        body, content_type = versions.payload(file, version.id)
    except NotFound:
        return None
    headers = {"Content-Type": content_type} if content_type else {}
    rule = rule_for(rules, version.article.url, version.first_seen.date())
    return extract.read(body, version.article.url, headers=headers, site=rule)
