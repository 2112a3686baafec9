"""What to mend when this machine's clock was set back: nothing may wait for a day that is years away."""

from __future__ import annotations

from datetime import datetime, timedelta

from crawler.archive.file import File
from crawler.rows import as_text

# No host is left alone for longer than it may wish for (`crawler.manners`).
_LONGEST_BACK_OFF = timedelta(days=7)


def mend(file: File, now: datetime) -> bool:
    """Make due what was visited in the future, if the run before began or ended in it; return whether it did.

    A visit at a time that is yet to come has its next one later still. Only times to wait for are set anew; what the
    clock showed at a visit stays as it was written down.
    """
    moment = as_text(now)
    before = file.row("SELECT max(started_at, coalesce(ended_at, '')) AS at FROM crawls ORDER BY id DESC LIMIT 1")
    if before is None or before["at"] <= moment:
        return False
    for table in ("articles", "feeds"):
        file.run(
            f"UPDATE {table} SET next_visit = ?, next_visit_reason = 'this machine''s clock was set back'"  # noqa: S608 - ours
            " WHERE last_visit > ? AND next_visit > ?",
            *(moment, moment, moment),
        )
    file.run("UPDATE hosts SET robots_fetched_at = NULL WHERE robots_fetched_at > ?", moment)
    file.run("UPDATE hosts SET robots_failing_since = ? WHERE robots_failing_since > ?", moment, moment)
    file.run("UPDATE hosts SET trust_since = ? WHERE trust_since > ?", moment, moment)
    file.run("UPDATE hosts SET backoff_until = ? WHERE backoff_until > ?", moment, as_text(now + _LONGEST_BACK_OFF))
    return True
