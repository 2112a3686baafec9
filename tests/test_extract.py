"""Extraction, end to end: pages written after real structures in data/articles, each with what it must give."""

import json
import os
from pathlib import Path

import pytest

from crawler import extract
from crawler.cli.extract import as_json
from crawler.items import Article, Block, BlockKind, Quality

ARTICLES = sorted((Path(__file__).parent / "data/articles").glob("*.html"))
PAGE = """<!doctype html><html lang=en><head><title>Bridge closed - Example</title></head><body>
<nav><a href=/>Home</a></nav><article><h1>Bridge closed</h1>
<p>The old bridge over the river was closed on Tuesday after engineers found cracks in two of its pillars.
<p>Traffic is sent over the northern bridge, the city said, and will be for at least three weeks from now on.
<p>It fell by 1.5% in a year.
</article></body></html>"""
URL = "https://example.org/bridge"


def read(html: str) -> Article:
    return extract.article(html.encode("utf-8", "replace"), URL)


def texts(html: str) -> list[str]:
    return [block.text for block in read(html).blocks]


def after_paragraph(number: int, insertion: str) -> str:
    """Return PAGE with something more after one of its paragraphs."""
    parts = PAGE.split("<p>")
    parts[number] += "</p>" + insertion
    return "<p>".join(parts)


@pytest.mark.parametrize("page", ARTICLES, ids=lambda page: page.stem)
def test_a_page_gives_what_stands_on_it(page):
    expected = json.loads(page.with_suffix(".json").read_text("utf-8"))

    given = as_json(extract.article(page.read_bytes(), expected["url"]))

    given["related_urls"] = [link["url"] for link in given["related"]]
    assert {key: given[key] for key in expected} == expected


def test_the_share_of_blocks_that_are_right_never_falls():
    """The floor is in data/articles/floor.json. LOWER_THE_FLOOR=1 pytest ... writes today's figures into it."""
    right = wrong = missing = 0
    for page in ARTICLES:
        expected = json.loads(page.with_suffix(".json").read_text("utf-8"))
        wanted = [b["text"] for b in expected["blocks"]] if "blocks" in expected else expected["paragraphs"]
        article = extract.article(page.read_bytes(), expected["url"])
        found = [block.text for block in article.blocks if "blocks" in expected or block.kind is not BlockKind.CAPTION]
        right += len([text for text in found if text in wanted])
        wrong += len([text for text in found if text not in wanted])
        missing += len([text for text in wanted if text not in found])
    figures = {"pages": len(ARTICLES), "precision": right / (right + wrong), "recall": right / (right + missing)}
    floor = ARTICLES[0].parent / "floor.json"
    if os.environ.get("LOWER_THE_FLOOR"):
        floor.write_text(json.dumps(figures) + "\n", "utf-8")
    pinned = json.loads(floor.read_text("utf-8"))
    assert all(figures[name] >= pinned[name] for name in pinned), (figures, pinned)


def test_a_page_without_end_tags_gives_its_paragraphs_one_by_one():
    assert [text[:15] for text in texts(PAGE)] == ["The old bridge ", "Traffic is sent", "It fell by 1.5%"]


@pytest.mark.parametrize(
    "box",
    [
        '<div class="x"><p>You have 3 free articles left this month. Subscribe for unlimited access.</p></div>',
        '<div class="z">That was story 4 of your monthly five. Go further with a pass.</div>',
        "<aside><p>Start the day with 5 things worth knowing, free, before breakfast.</p></aside>",
        '<section class="b"><h4>The week in 5 parts</h4><p><a href="/go">The week in 5 parts</a></p></section>',
        '<div class="q"><b>Sponsored</b><a href="/t"><h4>A heater</h4><p>Owners over 50 switch.</p></a></div>',
        '<div class="b"><h3>More</h3><ul><li><a href="/a">A first headline of another story</a></li></ul></div>',
        '<p><strong>Read more: <a href="/a">Another headline of another story of ours</a></strong></p>',
        '<div class="c"><span>14 comments</span> <span>161 shares</span></div>',
        '<div class="d"><time>5 hours ago</time></div>',
        '<blockquote class="twitter-tweet"><p>A post from elsewhere, put here by somebody.</p></blockquote>',
    ],
)
@pytest.mark.parametrize("place", [1, 2])
def test_a_box_between_paragraphs_is_no_part_of_the_article(box, place):
    assert extract.digest(read(after_paragraph(place, box))) == extract.digest(read(PAGE))


@pytest.mark.parametrize(
    "paragraph",
    [
        "<p>Officials at the transport authority said that a review would be published.</p>",
        "<p><em>Correction 3: an earlier version of this article misstated a fact about the bridge.</em></p>",
        "<p>No.</p>",
        "<h2>What happens now?</h2>",
    ],
)
def test_a_paragraph_among_paragraphs_is_always_seen(paragraph):
    assert len(texts(after_paragraph(1, paragraph))) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [("1.5%", "15%"), ("1.5%", "-1.5%"), ("Tuesday after", "Tuesday, after"), ("Traffic", "traffic")],
)
def test_the_digest_hears_a_point_a_sign_a_comma_and_a_case(old, new):
    assert extract.digest(read(PAGE.replace(old, new))) != extract.digest(read(PAGE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("two of its", "two\u00a0of\u200b its"),
        ("cracks", "cra\u00adcks"),
        ("old bridge", "old\n   bridge"),
        ("<p>Traffic", "</p>\n\n<p class=b>Traffic"),
        ("<h1>", '<h1 data-token="f00">'),
    ],
)
def test_the_digest_does_not_hear_what_nobody_sees(old, new):
    assert extract.digest(read(PAGE.replace(old, new))) == extract.digest(read(PAGE))


def test_the_digest_carries_its_version():
    assert extract.digest(read(PAGE)).startswith(f"{extract.DIGEST_VERSION}:")


def test_the_digest_keeps_fields_apart():
    one = Article(url=URL, headline="a b", blocks=(Block(text="c"),))
    other = Article(url=URL, headline="a", blocks=(Block(text="b c"),))
    assert extract.digest(one) != extract.digest(other)


def test_the_digest_does_not_hear_what_a_block_is():
    paragraph = Article(url=URL, blocks=(Block(text="c"),))
    heading = Article(url=URL, blocks=(Block(text="c", kind=BlockKind.HEADING),))
    assert extract.digest(paragraph) == extract.digest(heading)


def test_the_headline_is_the_visible_one():
    article = read(PAGE.replace("<h1>Bridge closed", "<h1>Bridge closed, again"))
    assert article.headline == "Bridge closed, again"
    assert article.headlines.title == "Bridge closed - Example"


@pytest.mark.parametrize(
    ("language", "notice"),
    [
        ("en", "Correction: an earlier version of this article misstated a name."),
        ("de", "Korrektur: In einer früheren Version dieses Artikels stand ein falscher Name."),
        ("fr", "Rectificatif : une version précédente de cet article donnait un nom erroné."),
        ("es", "Corrección: una versión anterior de este artículo daba un nombre equivocado."),
        ("it", "Errata corrige: nella prima stesura il nome era sbagliato."),
        ("pt", "Correção: uma versão anterior deste texto trazia um nome errado."),
        ("nl", "Correctie: in een eerdere versie stond een verkeerde naam."),
        ("sv", "Rättelse: I en tidigare version av texten stod fel namn."),
        ("da", "Rettelse: I en tidligere version stod der et forkert navn."),
        ("fi", "Oikaisu: Jutun aiemmassa versiossa oli väärä nimi."),
        ("pl", "Sprostowanie: we wcześniejszej wersji podano błędne nazwisko."),
        ("cs", "Oprava: v předchozí verzi bylo chybné jméno."),
        ("ru", "Исправление: в более ранней версии было указано неверное имя."),
        ("uk", "Виправлення: у попередній версії було вказано хибне ім'я."),
        ("tr", "Düzeltme: Haberin önceki halinde bir isim yanlıştı."),
        ("id", "Ralat: Versi sebelumnya dari artikel ini memuat nama yang salah."),
        ("ar", "تصحيح: ورد في نسخة سابقة من هذا المقال اسم خاطئ."),
        ("ja", "訂正：当初の記事で名前に誤りがありましたので直しました。"),
        ("zh", "更正：本文早前版本中的姓名有误，现已改正，谨此向读者致歉。"),
        ("ko", "정정: 이전 버전의 기사에 이름이 잘못 표기되어 바로잡습니다."),
    ],
)
def test_a_correction_is_found_in_its_language_and_stays_in_its_place(language, notice):
    article = read(after_paragraph(2, f"<p>{notice}</p>"))
    assert [(n.kind.value, n.text) for n in article.notices] == [("correction", notice)]
    assert article.blocks[2].text == notice


@pytest.mark.parametrize(
    "sentence",
    [
        "Correction officers at the county jail were told on Tuesday that their hours would be cut.",
        "Updated by-laws would enable the city to reflect the policy, the mayor said on Tuesday.",
        "The clarification that the ministry had promised never came, and nobody asked for it.",
    ],
)
def test_a_sentence_about_corrections_is_no_correction(sentence):
    assert read(after_paragraph(1, f"<p>{sentence}</p>")).notices == ()


WALL = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p>{2}</body></html>"


@pytest.mark.parametrize(
    ("html", "quality"),
    [
        ("", Quality.EMPTY),
        ("<html><body></body></html>", Quality.EMPTY),
        (WALL.format("Just a moment...", "Checking your browser before you go on.", ""), Quality.BOT_WALL),
        (WALL.format("example.org", "Please verify you are human to continue.", ""), Quality.BOT_WALL),
        (WALL.format("404 Not Found", "nginx", ""), Quality.ERROR),
        (WALL.format("Seite nicht gefunden", "Die gesuchte Seite gibt es nicht mehr.", ""), Quality.ERROR),
        (WALL.format("We value your privacy", "We and our partners store information.", ""), Quality.CONSENT),
        (WALL.format("Example", "Welcome back.", "<form><input type=password></form>"), Quality.LOGIN),
        (WALL.format("All news", "", "<a href=/1>A story</a> <a href=/2>Another</a>" * 40), Quality.NOT_ARTICLE),
        (PAGE.split("<p>It fell")[0] + "<div><div><div><p>It fe", Quality.TRUNCATED),
        (PAGE, Quality.OK),
    ],
)
def test_the_verdict_names_what_stands_in_the_way(html, quality):
    article = read(html)
    assert (article.quality, article.quality_reason != "") == (quality, True)


def test_fewer_bytes_than_announced_are_a_truncated_page():
    body = PAGE.encode()
    cut = extract.article(body, URL, headers={"Content-Length": str(len(body) + 10)})
    assert cut.quality is Quality.TRUNCATED


@pytest.mark.parametrize(
    ("codec", "said", "headers"),
    [
        ("windows-1252", "", {}),
        ("windows-1251", '<meta charset="windows-1251">', {}),
        ("shift_jis", "", {"Content-Type": "text/html; charset=Shift_JIS"}),
        ("euc-kr", "<meta charset=euc-kr>", {}),
        ("utf-16", "", {}),
        ("utf-8-sig", "", {}),
        ("utf-8", '<meta charset="iso-8859-1">', {}),
    ],
)
def test_a_page_is_read_in_the_encoding_it_was_written_in(codec, said, headers):
    letters = {"windows-1251": "мост закрыт", "shift_jis": "橋が閉鎖", "euc-kr": "다리 폐쇄"}.get(
        codec, "Brücke zu, 5 €"
    )
    html = PAGE.replace("It fell", letters + " " * 3 + "It fell").replace("<head>", "<head>" + said)
    article = extract.article(html.encode(codec), URL, headers=headers)
    assert article.blocks[-1].text.startswith(letters)


def test_broken_json_ld_is_survived():
    for broken in (
        '{"@type":"NewsArticle","headline":',
        "[[[[",
        "null",
        '"x"',
        '{"@graph":[{"@type":["NewsArticle"],}]}',
    ):
        script = f'<script type="application/ld+json">{broken}</script>'
        assert read(PAGE.replace("</head>", script + "</head>")).headline == "Bridge closed"


def test_metadata_hidden_in_lists_and_graphs_is_found():
    data = [{"@graph": [{"@type": "WebPage"}, {"@type": ["Thing", "NewsArticle"], "author": [{"@id": "#a"}]}]},
            {"@type": "Person", "@id": "#a", "name": "By Ada Byrne and Jo Roe", "jobTitle": "Reporter"}]  # fmt: skip
    html = PAGE.replace("</head>", f'<script type="application/ld+json">{json.dumps(data)}</script></head>')
    assert [(a.name, a.role) for a in read(html).authors] == [("Ada Byrne", "Reporter"), ("Jo Roe", "Reporter")]


def test_an_outlet_does_not_sign_beside_a_person():
    data = {"@type": "NewsArticle", "author": ["Example", "Jo Roe"], "publisher": {"name": "Example"}}
    html = PAGE.replace("</head>", f'<script type="application/ld+json">{json.dumps(data)}</script></head>')
    assert [a.name for a in read(html).authors] == ["Jo Roe"]


def test_one_line_break_ends_a_paragraph_that_stands_bare_in_a_box():
    sentence = "The old bridge over the river was closed on Tuesday after engineers found cracks in its pillars."
    assert texts(f"<h1>Bridge closed</h1><div>{sentence}<br>{sentence} Again.</div>") == [
        sentence,
        f"{sentence} Again.",
    ]


def test_visible_text_has_the_menu_too():
    seen = extract.visible_text(PAGE.encode())
    assert "Home" in seen
    assert "It fell by 1.5% in a year." in seen


def test_a_page_is_read_once_for_its_article_and_for_what_stands_around_it() -> None:
    article, lines = extract.read(PAGE.encode(), URL)
    assert article == read(PAGE)
    assert "\n".join(lines) == extract.visible_text(PAGE.encode())
    assert "Home" in lines
    assert {block.text for block in article.blocks} <= set(lines)


TABLE = (
    "<table><tr><th>Year</th><th>Trains</th></tr><tr><td>2024</td><td>{0}</td></tr>"
    "<tr><td>2025</td><td>97</td></tr></table>"
)


def test_a_changed_cell_is_one_changed_row():
    before, after = (texts(after_paragraph(1, TABLE.format(trains))) for trains in ("1.204", "1.240"))
    assert before[1:4] == ["Year | Trains", "2024 | 1.204", "2025 | 97"]
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("2024 | 1.204", "2024 | 1.240")
    ]


@pytest.mark.parametrize(
    "table",
    [
        TABLE.replace("<table>", "<table role=presentation>").format(1),
        TABLE.format("<table><tr><td>a</td><td>b</td></tr></table>").replace("a</td><td>b", "Share</td><td>Print"),
        TABLE.format("<h3>Most read</h3>"),
        TABLE.format("<input name=q>"),
        "<nav>" + TABLE.format(1) + "</nav>",
        "<table><tr><td>Listen to this</td></tr><tr><td>Four minutes</td></tr></table>",
        TABLE.format("<a href=/a>A headline</a>").replace("2024", "<a href=/b>Another headline</a>"),
        TABLE.format("Sign up for our newsletter"),
    ],
)
def test_a_table_that_lays_out_a_box_is_no_data(table):
    assert extract.digest(read(after_paragraph(1, table))) == extract.digest(read(PAGE))


def test_an_article_that_is_laid_out_in_a_table_is_prose():
    rows = PAGE.replace("<p>", "<tr><td>{}<td>").split("<article>")[1].split("</h1>")[1].split("</article>")[0]
    html = f"<h1>Bridge closed</h1><table>{rows.replace('{}', '')}</table>"
    assert [block.kind for block in read(html).blocks] == [BlockKind.PARAGRAPH] * 3


def test_two_times_beside_paragraphs_make_no_live_blog():
    post = "<li><time datetime=2026-01-11T1{0}:00Z>1{0}</time><p>At this hour the queue was {0} miles long.</li>"
    article = read(after_paragraph(3, "<ul>" + post.format(1) + post.format(2) + "</ul>"))
    assert BlockKind.POST not in {block.kind for block in article.blocks}


def test_a_form_around_the_whole_page_is_no_form():
    wrapped = PAGE.replace("<body>", "<body><form action=/bridge><input type=hidden>").replace(
        "</body>", "</form></body>"
    )
    assert extract.digest(read(wrapped)) == extract.digest(read(PAGE))


def test_a_form_beside_the_article_stays_one():
    form = "<form action=/poll><p>Would you have closed the bridge earlier? Tell us what you think.</p></form>"
    assert extract.digest(read(after_paragraph(1, form))) == extract.digest(read(PAGE))


FIGURE = """<div class=wp-caption><a href=/b.jpg><img src=/a.jpg></a><p class=wp-caption-text>The bridge on Monday</p>
{}</div>"""


@pytest.mark.parametrize(
    "beside",
    [
        "<div class=x1>Sign up to the briefing: no spam, 51 seconds a day.</div>",
        "<div class=x2><a href=/more>Read more: the road that took years to build</a></div>",
        "<div class=x3>Sponsored: 33 homes near you under budget</div>",
        "<p>The bridge on Monday</p>",
    ],
)
def test_a_box_beside_a_caption_is_no_part_of_it(beside):
    page = after_paragraph(1, FIGURE.format(beside))
    captions = [block.text for block in read(page).blocks if block.kind is BlockKind.CAPTION]
    assert captions == ["The bridge on Monday"]


@pytest.mark.parametrize("credit", ["Ada Lovell / Reuters", "Photo: Ada Lovell, 2026", "Getty Images"])
def test_a_credit_beside_a_caption_is_part_of_it(credit):
    page = after_paragraph(1, FIGURE.format(f"<span>{credit}</span>"))
    captions = [block.text for block in read(page).blocks if block.kind is BlockKind.CAPTION]
    assert captions == [f"The bridge on Monday {credit}"]


STANDFIRST = "<div class=standfirst>{}</div>"
FIRST, SECOND = "<p>Engineers found cracks in two pillars of it.</p>", "<p>Traffic goes over the northern bridge.</p>"


@pytest.mark.parametrize(
    "around",
    [
        "{first}<div class=x1>Sponsored: 33 homes near you under budget</div>{second}",
        "<div class=x2>See also: the road that took 64 years to build</div>{first}{second}",
        "{first}{second}",
    ],
)
def test_a_box_put_into_a_standfirst_is_no_part_of_it(around):
    lead = STANDFIRST.format(around.format(first=FIRST, second=SECOND))
    meta = '<meta name=description content="Engineers found cracks in two pillars of it."></head>'
    html = PAGE.replace("</head>", meta).replace("</h1>", "</h1>" + lead)
    assert (
        read(html).description == "Engineers found cracks in two pillars of it. Traffic goes over the northern bridge."
    )
