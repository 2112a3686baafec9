"""Redline: watches news feeds, keeps each version of every article, shows what was changed.

The map, in the order in which an article passes through it:

    items         the words: Feed, Entry, Article, Block, Capture, Version, Change ... (values only)
    errors        what can go wrong, by what the caller can do
    settings      every knob of the crawl, with its unit and reason

    feeds/        bytes of a feed -> Feed and its entries; a page -> the feeds it announces; OPML
    urls          which addresses are one article's, which may be fetched
    addresses     which networks may be connected to
    packing       taking off what an answer is packed in, bounded
    extract/      bytes of a page -> Article, and how far to trust it; digest: do two read the same?
    visits        an answer without text -> gone, blocked, failed, not modified
    manners       what a host asks of us, and whether its word is good
    wavering      is a difference an edit at all? What two pages know together
    diff/         two Articles -> Diff (blocks aligned, moves found, words inside), shown in four forms
    changes/      a Diff -> kinds, weight, verdict, each with its evidence
    schedule      an article's history -> when to visit it next, and why
    health        is a feed that answers still what it was?
    search        how texts of every script are indexed and found
    payloads      how a received page is kept
    rows          how values stand in the archive

    archive/      the only part that writes SQL (with migrations, the schema); `Archive.record` first
    middlewares   what a request must pass, and an answer
    transport     how one answer comes in: its time, its size, its certificate
    spiders/news  which requests to make, what to do with each response
    pipelines     hands each Capture to the Archive
    cli/          `redline ...`: one file a group of commands
    browse/       the Datasette plugin

From `feeds` to `rows` everything is pure: values in, values out, no clock, no network, no file. Who may import whom is
a test: tests/test_layers.py.
"""
