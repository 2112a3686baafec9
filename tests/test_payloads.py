"""How received pages are kept: small where they are like an earlier one, and readable for ever."""

from __future__ import annotations

import random

import zstandard

from crawler.payloads import Payload


def a_page(seed: int, size: int = 300_000) -> bytes:
    """A page of made-up words: they come again, as in a language, and sentences do not."""
    source = random.Random(seed)
    words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 9))) for _ in range(5_000)]
    return " ".join(source.choices(words, k=size // 6)).encode()


def test_an_edited_word_of_a_large_page_takes_a_thousandth_of_the_page() -> None:
    page = a_page(1, size=2_000_000)
    base, _ = Payload.pack(page)
    edited = page[:1_000] + b"edited" + page[1_000:]

    packed, uses_base = Payload.pack(edited, base)

    assert uses_base
    assert len(packed.body) < len(base.body) / 1_000
    assert packed.unpack(base.unpack()) == edited


def test_a_page_after_a_redesign_stands_alone() -> None:
    base, _ = Payload.pack(a_page(1))
    packed, uses_base = Payload.pack(a_page(2), base)
    assert not uses_base
    assert packed.unpack() == a_page(2)


def test_pages_packed_by_earlier_releases_are_read() -> None:
    page, base = a_page(1)[:-5], a_page(1)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        3, window_log=24, enable_ldm=True, source_size=len(page), dict_size=len(base)
    )
    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    body = zstandard.ZstdCompressor(compression_params=parameters, dict_data=prefix).compress(page)
    assert Payload(body, len(page)).unpack(base) == page
