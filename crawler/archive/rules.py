"""What every archive keeps to, as queries that find where it does not. Read by `soundness`; nothing here runs."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.items import Level

RESTORE = "restore a backup (the file stays readable as it is), and report it: this is a bug of Redline's or a bad disk"
_NOT_FOUND = "the texts are whole; `redline search` does not find what the index lacks. Report it"
_CLOCK = "nothing is lost; look at this machine's clock (timedatectl): all times in the archive are set by it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold: `broken` gives a row for each place where it does not; `says` is filled with its columns."""

    check: str
    says: str
    broken: str
    mend: str = RESTORE
    level: Level = Level.ERROR


# The counters of a run, by column.
_OUTCOMES = ("new", "changed", "unchanged", "not_modified", "moved", "gone", "blocked", "failed")
_KINDS = ("feeds", "articles", *_OUTCOMES)

RULES = (
    Rule(
        check="references",
        says="row {rowid} of {table} refers to a row of {parent} that is not there",
        broken='SELECT "rowid", "table", "parent" FROM pragma_foreign_key_check',
    ),
    Rule(
        check="numbers",
        says="article {article_id} has {n} versions, numbered from {least} to {most}",
        broken="""
            SELECT article_id, count(*) AS n, min(number) AS least, max(number) AS most FROM versions
             GROUP BY article_id HAVING min(number) <> 1 OR max(number) <> count(*)""",
    ),
    Rule(
        check="counts",
        says="article {id} is said to have {said} versions and has {n}",
        broken="""
            SELECT a.id, a.versions AS said, (SELECT count(*) FROM versions AS v WHERE v.article_id = a.id) AS n
              FROM articles AS a WHERE said <> n""",
    ),
    Rule(
        check="crawls",
        says="run {id} is said to have made {said} visits of the kind {kind}; {n} are in the table of visits",
        # One look at all visits. Of those rolled up it is known how many they were, and no more of what kind.
        broken=f"""
            WITH made AS (SELECT crawl_id, count(feed_id) AS feeds, count(article_id) AS articles,
                   {", ".join(f"sum(article_id > 0 AND outcome = '{kind}') AS {kind}" for kind in _OUTCOMES)}
              FROM captures GROUP BY crawl_id)
            SELECT * FROM (
                SELECT r.id, r.rolled_up, json_extract(k.value, '$[0]') AS kind,
                       json_extract(k.value, '$[1]') AS said, json_extract(k.value, '$[2]') AS n
                  FROM crawls AS r LEFT JOIN made AS m ON m.crawl_id = r.id, json_each(json_array(
                       {", ".join(f"json_array('{kind}', r.{kind}, coalesce(m.{kind}, 0))" for kind in _KINDS)})) AS k)
             WHERE said NOT BETWEEN n AND n + rolled_up""",  # noqa: S608 - ours
    ),
    Rule(
        check="crawls",
        says="run {id} is said to have made {said} visits; {n} are in the table of visits or were rolled up",
        broken="""
            SELECT * FROM (SELECT id, feeds + articles AS said,
                   (SELECT count(*) FROM captures AS c WHERE c.crawl_id = r.id) + rolled_up AS n FROM crawls AS r)
             WHERE said > n""",
    ),
    Rule(
        check="intervals",
        says="version {number} of article {article_id} has an interval out of order: after {appeared_after}, first seen"
        " {first_seen}, last seen {last_seen}; the one before was last seen {before_last}",
        # A clock that was set back between two visits shows in the visits too; the rule "clock" tells it.
        broken="""
            SELECT * FROM (SELECT id, article_id, number, appeared_after, first_seen, last_seen,
                   lag(first_seen) OVER w AS before_first, lag(last_seen) OVER w AS before_last
              FROM versions WINDOW w AS (PARTITION BY article_id ORDER BY number)) AS v
             WHERE first_seen > last_seen OR (appeared_after IS NULL) <> (number = 1) OR appeared_after < before_last
                OR ((appeared_after > first_seen OR first_seen < before_first) AND NOT EXISTS (
                    SELECT 1 FROM (SELECT captured_at, lag(captured_at) OVER (ORDER BY id) AS earlier
                      FROM captures AS c WHERE c.article_id = v.article_id) WHERE captured_at < earlier))""",
    ),
    Rule(
        check="clock",
        says="version {number} of article {article_id} was first seen when the clock showed {captured_at}, and the one"
        " before it until {appeared_after}: the clock was set back between",
        broken="""
            SELECT v.*, c.captured_at FROM versions AS v JOIN captures AS c ON c.version_id = v.id
             WHERE v.appeared_after > c.captured_at AND c.outcome = 'changed' AND EXISTS (
                   SELECT 1 FROM (SELECT captured_at, lag(captured_at) OVER (ORDER BY id) AS earlier
                     FROM captures AS c WHERE c.article_id = v.article_id) WHERE captured_at < earlier)""",
        mend=_CLOCK,
        level=Level.WARNING,
    ),
    Rule(
        check="sightings",
        says="version {number} of article {article_id} is said to have been first seen {first_seen} and last seen"
        " {last_seen}; there is no such visit",
        # A page that was read again had no visit of its own. A version that was seen after the clock was set back
        # begins when the one before it was last seen: the rule "clock" tells it.
        broken="""
            SELECT v.* FROM versions AS v
             WHERE (v.reread_of IS NULL AND NOT EXISTS (SELECT 1 FROM captures AS c WHERE c.version_id = v.id
                    AND (c.captured_at = v.first_seen
                         OR (c.captured_at < v.first_seen AND v.first_seen = v.appeared_after))
                    AND c.outcome IN ('new', 'changed')))
                OR (NOT EXISTS (SELECT 1 FROM captures AS c WHERE c.version_id = v.id AND c.captured_at = v.last_seen)
                    AND NOT ((v.reread_of IS NOT NULL OR v.first_seen = v.appeared_after)
                             AND v.last_seen = v.first_seen))""",
    ),
    Rule(
        check="checks",
        says="version {number} of article {article_id} counts {checks} visits that showed it, and {n} are recorded",
        # Where two states are shown in turn, the flap counts the visits to the other one.
        broken="""
            SELECT * FROM (SELECT v.number, v.article_id, v.checks, (v.reread_of IS NOT NULL)
                   + (SELECT count(*) FROM captures AS c WHERE c.version_id = v.id)
                   + (SELECT coalesce(sum(visits), 0) FROM captures_by_month AS m WHERE m.version_id = v.id) AS n
                     FROM versions AS v)
             WHERE checks <> n AND article_id NOT IN (SELECT article_id FROM flaps)""",
    ),
    Rule(
        check="owners",
        says="{what} {id} of article {article_id} rests on a version or a visit of another article",
        broken="""
            SELECT 'visit' AS what, c.id, c.article_id FROM captures AS c JOIN versions AS v ON v.id = c.version_id
             WHERE v.article_id IS NOT c.article_id
            UNION ALL
            SELECT 'month', m.id, m.article_id FROM captures_by_month AS m JOIN versions AS v ON v.id = m.version_id
             WHERE v.article_id IS NOT m.article_id
            UNION ALL
            SELECT 'change', c.id, c.article_id FROM changes AS c JOIN versions AS v ON v.id = c.version_id
             WHERE v.article_id <> c.article_id
            UNION ALL
            SELECT 'change', c.id, c.article_id FROM changes AS c JOIN changes AS e ON e.id = c.explained_by
             WHERE e.article_id <> c.article_id
            UNION ALL
            SELECT 'turn', f.id, f.article_id FROM fates AS f JOIN captures AS c ON c.id = f.capture_id
             WHERE c.article_id IS NOT f.article_id
            UNION ALL
            SELECT 'flap', f.id, f.article_id FROM flaps AS f JOIN versions AS v
                ON v.id IN (f.version_a, f.version_b, f.shown) WHERE v.article_id <> f.article_id
            UNION ALL
            SELECT 'version', v.id, v.article_id FROM versions AS v JOIN versions AS o ON o.id = v.reread_of
             WHERE o.article_id <> v.article_id
            UNION ALL
            SELECT 'page of visit', p.capture_id, c.article_id FROM payloads AS p
              JOIN captures AS c ON c.id = p.capture_id JOIN captures AS b ON b.id = p.base_id
             WHERE c.article_id IS NOT b.article_id""",
    ),
    Rule(
        check="outcomes",
        says='visit {id} has the outcome "{outcome}", which does not go with the version {number} that it showed',
        broken="""
            SELECT c.id, c.outcome, v.number FROM captures AS c LEFT JOIN versions AS v ON v.id = c.version_id
             WHERE CASE WHEN c.article_id IS NULL THEN c.version_id IS NOT NULL
                   ELSE (c.outcome IN ('new', 'changed', 'unchanged', 'not_modified', 'moved'))
                        <> (c.version_id IS NOT NULL)
                        OR (c.outcome = 'new' AND v.number > 1) OR (c.outcome = 'changed' AND v.number = 1) END""",
    ),
    Rule(
        check="changes",
        says="the step to version {number} of article {article_id} and what is told of it do not go together",
        broken="""
            SELECT v.article_id, v.number FROM versions AS v LEFT JOIN changes AS c ON c.version_id = v.id
             WHERE (c.id IS NULL) <> (v.number = 1 OR v.reread_of IS NOT NULL) OR c.seen_at <> v.first_seen
                OR c.appeared_after <> v.appeared_after OR c.reverts_to >= v.number""",
    ),
    Rule(
        check="steps",
        says="versions {before} and {number} of article {article_id} read the same",
        broken="""
            SELECT * FROM (SELECT article_id, number, digest, lag(number) OVER w AS before, lag(digest) OVER w AS same
              FROM versions WINDOW w AS (PARTITION BY article_id ORDER BY number)) WHERE digest = same""",
    ),
    Rule(
        check="states",
        says='article {id} is "{state}" with {versions} versions, and its latest turn was: {fate}',
        broken="""
            SELECT * FROM (SELECT id, state, versions, (SELECT fate FROM fates AS f WHERE f.article_id = a.id
                                                         ORDER BY id DESC LIMIT 1) AS fate FROM articles AS a)
             WHERE CASE state WHEN 'gone' THEN fate IS NOT 'gone' WHEN 'suspect' THEN fate IS NOT 'suspect'
                   WHEN 'up' THEN versions = 0 OR fate IN ('gone', 'suspect')
                   WHEN 'new' THEN versions > 0 OR fate IS NOT NULL ELSE 1 END""",
    ),
    Rule(
        check="merges",
        says="article {id} is visited in the stead of article {merged_into}, and the merges say otherwise",
        broken="""
            SELECT id, merged_into FROM articles AS a WHERE merged_into IS NOT (SELECT m.into_id FROM merges AS m
                   WHERE m.article_id = a.id AND m.undone_at IS NULL ORDER BY m.id DESC LIMIT 1)""",
    ),
    Rule(
        check="lifetimes",
        says="{what} {id} of article {article_id} lives from version {added_in} until {removed_in}, of {versions}",
        broken="""
            SELECT p.*, a.versions
              FROM (SELECT 'block' AS what, id, article_id, added_in, removed_in FROM blocks UNION ALL
                    SELECT 'image', id, article_id, added_in, removed_in FROM images) AS p
              JOIN articles AS a ON a.id = p.article_id
             WHERE p.added_in < 1 OR p.removed_in <= p.added_in
                OR max(p.added_in, coalesce(p.removed_in, 1)) > a.versions""",
    ),
    Rule(
        check="bases",
        says="the page of visit {capture_id} rests on that of visit {base_id}, which does not stand alone",
        broken="""
            SELECT p.capture_id, p.base_id FROM payloads AS p JOIN payloads AS b ON b.capture_id = p.base_id
             WHERE b.base_id IS NOT NULL""",
    ),
    Rule(
        check="search",
        says="{what} {id} stands in the search index or in the archive, not in both",
        mend=_NOT_FOUND,
        # A version whose headline and standfirst are those of the one before is found by that one.
        broken="""
            SELECT 'block' AS what, id FROM blocks WHERE id NOT IN (SELECT id FROM block_search_docsize)
            UNION ALL
            SELECT 'block', id FROM block_search_docsize WHERE id NOT IN (SELECT id FROM blocks)
            UNION ALL
            SELECT 'version', id FROM versions AS v WHERE id NOT IN (SELECT id FROM version_search_docsize)
               AND NOT EXISTS (SELECT 1 FROM versions AS b WHERE b.article_id = v.article_id
                   AND b.number = v.number - 1 AND (b.headline, b.description) = (v.headline, v.description))
            UNION ALL
            SELECT 'version', id FROM version_search_docsize WHERE id NOT IN (SELECT id FROM versions)""",
    ),
    Rule(
        check="addresses",
        says="article {id} is not found by its address {url}",
        broken="""
            SELECT a.id, u.value AS url FROM articles AS a, json_each(json_array(a.url, a.current_url)) AS u
             WHERE NOT EXISTS (SELECT 1 FROM urls WHERE urls.article_id = a.id AND urls.url = u.value)""",
    ),
)
