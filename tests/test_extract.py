from crawler import extract

PAGE = b"""<!doctype html><html lang=en><head><title>Bridge closed - Example</title></head><body>
<nav><a href=/>Home</a></nav><article><h1>Bridge closed</h1>
<p>The old bridge over the river was closed on Tuesday after engineers found cracks in two of its pillars.
<p>Traffic is sent over the northern bridge, the city said, and will be for at least three weeks from now on.
<p>It fell by 1.5% in a year.
</article></body></html>"""


def test_a_page_without_end_tags_gives_its_paragraphs_one_by_one():
    article = extract.article(PAGE, "https://example.org/bridge")

    assert article.headline == "Bridge closed"
    assert [b.text[:15] for b in article.blocks] == ["The old bridge ", "Traffic is sent", "It fell by 1.5%"]


def test_the_digest_says_its_version_and_hears_a_decimal_point():
    before = extract.article(PAGE, "https://example.org/bridge")
    after = extract.article(PAGE.replace(b"1.5%", b"15%"), "https://example.org/bridge")

    assert extract.digest(before).startswith("1:")
    assert extract.digest(before) != extract.digest(after)
