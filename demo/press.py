"""The outlets as they are written down in `outlets/`: their stories, round by round, and the truth about each edit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

OUTLETS_DIR = Path(__file__).with_name("outlets")
OUTLETS = ("courier", "limansk", "shiomi")
ROUNDS = 4

# One fixed day, an hour a round: the same pages, dates and validators on every machine.
OPENING = datetime(2026, 3, 10, 12, tzinfo=UTC)
ROUND_LENGTH = timedelta(hours=1)

# In this round each page's advertisement, counters, related links and markup change, and its text does not.
NOISE_ROUND = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One planned change, first shown in `round`; `path` is where the article stood just before it.

    `kind` is headline, number, wording, quote, fact, caption, byline or move for text, and removed, moved or published
    for the article as a whole. `old` and `new` are the words concerned: a paragraph's first words for a move, paths
    for moved, the headline for removed and published. `verdict` is declared, dated, stealth or undated; None for an
    article as a whole.
    """

    round: int
    outlet: str
    path: str
    kind: str
    old: str
    new: str
    verdict: str | None

    @property
    def is_text(self) -> bool:
        """Whether a reader of the article sees other words, or words in another place."""
        return self.verdict is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One line of a revision. `after` is for a move: the first words of the paragraph that it now follows."""

    kind: str
    old: str
    new: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What an editor did to a story in one round; `modified` is None where the printed date was left alone."""

    round: int
    modified: datetime | None
    notice: str
    touches: tuple[Touch, ...]

    @property
    def verdict(self) -> str:
        if self.notice:
            return "declared"
        return "dated" if self.modified else "stealth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    file: str
    caption: str
    credit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One article as it stands in one round: first as written, then with the revisions of `at()`.

    `blocks` are paragraphs of plain text; a block may open with "## " (heading), "> " (quotation) or "- " (list item)
    and may hold links as `[words](/path/)`. `modified` is None until the outlet prints a second date.
    """

    outlet: str
    id: str
    path: str
    headline: str
    standfirst: str
    author: str
    role: str
    section: str
    tags: tuple[str, ...]
    language: str
    published: datetime
    modified: datetime | None
    first_round: int
    figure: Figure
    blocks: tuple[str, ...]
    revisions: tuple[Revision, ...]
    prints_modified: bool = True  # False: the page has no modified date to judge an edit by
    notice: str = ""
    is_removed: bool = False
    old_paths: tuple[str, ...] = ()

    def at(self, round: int) -> Story | None:
        """Return the story as it stands in this round; None before its publication."""
        if round < self.first_round:
            return None
        story = self
        for revision in self.revisions:
            if revision.round <= round:
                story = _revised(story, revision)
        return story

    def _verdict(self, revision: Revision) -> str:
        return revision.verdict if self.prints_modified or revision.notice else "undated"

    def edits(self) -> Iterator[Edit]:
        if self.first_round:
            yield Edit(
                round=self.first_round,
                outlet=self.outlet,
                path=self.path,
                kind="published",
                old="",
                new=self.headline,
                verdict=None,
            )
        for revision in self.revisions:
            before = self.at(revision.round - 1)
            assert before is not None, f"{self.id}: revised before it is published"
            for touch in revision.touches:
                whole = touch.kind in ("removed", "moved")
                yield Edit(
                    round=revision.round,
                    outlet=self.outlet,
                    path=before.path,
                    kind=touch.kind,
                    old=touch.old,
                    new=touch.old if touch.kind == "move" else touch.new,
                    verdict=None if whole else self._verdict(revision),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One publication. `config` is its outlet.toml: names, addresses, markup, words and what stands around articles."""

    name: str
    folder: Path
    config: Mapping[str, Any]
    stories: tuple[Story, ...]

    def stories_at(self, round: int) -> list[Story]:
        """Return what the outlet has published by this round, removed stories too, newest first."""
        standing = [story for story in (story.at(round) for story in self.stories) if story]
        return sorted(standing, key=lambda story: story.published, reverse=True)

    def edits(self) -> list[Edit]:
        return sorted((edit for story in self.stories for edit in story.edits()), key=lambda edit: edit.round)


def load(name: str) -> Outlet:
    """Read an outlet's folder; a `ValueError` names the story and the edit that does not fit its text."""
    folder = OUTLETS_DIR / name
    config = tomllib.loads((folder / "outlet.toml").read_text(encoding="utf-8"))
    stories = tuple(
        _story(name, file.stem, tomllib.loads(file.read_text(encoding="utf-8")), config)
        for file in sorted((folder / "stories").glob("*.toml"))
    )
    for story in stories:
        story.at(ROUNDS - 1)
    return Outlet(name=name, folder=folder, config=config, stories=stories)


def _story(outlet: str, id: str, data: Mapping[str, Any], config: Mapping[str, Any]) -> Story:
    language = data.get("language", config["language"])
    space = "" if language == "ja" else " "  # what a line break in the file stands for
    return Story(
        outlet=outlet,
        id=id,
        path=data["path"],
        headline=data["headline"],
        standfirst=data["standfirst"],
        author=data["author"],
        role=data["role"],
        section=data["section"],
        tags=tuple(data["tags"]),
        language=language,
        published=data["published"],
        modified=None,
        prints_modified=data.get("prints_modified", True),
        first_round=data.get("first_round", 0),
        figure=Figure(**data["figure"]),
        blocks=tuple(space.join(block.split("\n")) for block in re.split(r"\n{2,}", data["body"].strip())),
        revisions=tuple(
            Revision(
                round=revision["round"],
                modified=revision.get("modified"),
                notice=revision.get("notice", ""),
                touches=tuple(Touch(**touch) for touch in revision["edits"]),
            )
            for revision in data.get("revisions", ())
        ),
    )


def _revised(story: Story, revision: Revision) -> Story:
    story = replace(story, modified=revision.modified or story.modified, notice=revision.notice or story.notice)
    for touch in revision.touches:
        try:
            story = _touched(story, touch)
        except ValueError as error:
            raise ValueError(f"{story.outlet}/{story.id}, round {revision.round}, {touch.kind}: {error}") from error
    return story


def _touched(story: Story, touch: Touch) -> Story:
    old, new = touch.old, touch.new
    match touch.kind:
        case "headline":
            _require(story.headline == old, f"the headline is not {old!r}")
            return replace(story, headline=new)
        case "byline":
            _require(story.author == old, f"the author is not {old!r}")
            return replace(story, author=new)
        case "caption":
            _require(old in story.figure.caption, f"the caption has no {old!r}")
            return replace(story, figure=replace(story.figure, caption=story.figure.caption.replace(old, new)))
        case "move":
            moving = _opening_with(old, story.blocks)
            rest = [block for block in story.blocks if block != moving]
            rest.insert(rest.index(_opening_with(touch.after, rest)) + 1, moving)
            _require(tuple(rest) != story.blocks, "the paragraph stays where it was")
            return replace(story, blocks=tuple(rest))
        case "number" | "wording" | "quote" | "fact":
            _require(any(old in text for text in (story.standfirst, *story.blocks)), f"the text has no {old!r}")
            return replace(
                story,
                standfirst=story.standfirst.replace(old, new),
                blocks=tuple(block.replace(old, new) for block in story.blocks),
            )
        case "removed":
            _require(story.headline == old, f"the headline is not {old!r}")
            return replace(story, is_removed=True)
        case "moved":
            _require(story.path == old, f"the path is not {old!r}")
            return replace(story, path=new, old_paths=(*story.old_paths, old))
        case kind:
            raise ValueError(f"unknown kind {kind!r}")


def _opening_with(words: str, blocks: list[str] | tuple[str, ...]) -> str:
    found = [block for block in blocks if block.startswith(words)]
    _require(len(found) == 1, f"{len(found)} paragraphs open with {words!r}")
    return found[0]


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
