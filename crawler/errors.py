"""What can go wrong, by what the caller can do about it. Each message says what to try next."""

from __future__ import annotations


class RedlineError(Exception):
    """The root: `except RedlineError` catches what Redline itself has to say, never a bug.

    `exit_code` is what the command ends with: part of the interface that crontabs rely on.
    """

    exit_code = 1


class UsageError(RedlineError):
    """The caller asked for something that cannot be done as asked: correct the command or the setting."""

    exit_code = 2


class NotFound(RedlineError):
    """The archive does not have it: nothing is broken, look for something else."""


class ArchiveError(RedlineError):
    """The archive file cannot be used as it is (damaged, made by a newer Redline, not ours); it was not touched."""


class Locked(RedlineError):
    """Another run is at work on this archive: try later."""

    exit_code = 75


class FeedError(RedlineError):
    """A document cannot be read as a feed. The feed stays watched; the next visit may be better."""
