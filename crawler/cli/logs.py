"""What a run says: to standard error and to a file, as text or as JSON lines. Everything goes out through here.

`redline` is the logger of what we have to say: warnings (a feed failed) and errors always, the rest with -v. What
Scrapy and others say comes from -vv on. So a run is silent when all is well, and cron mails only what matters.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from crawler import urls
from crawler.cli.output import plain
from crawler.errors import UsageError

OURS = "redline"
_NEVER = logging.CRITICAL + 1
# By -v: what is said of ours, and of others.
_OURS = (logging.WARNING, logging.INFO)
_OTHERS = (_NEVER, _NEVER, logging.INFO, logging.DEBUG)
# A file is looked at when something went wrong: it has a line of every run, and what others warn of.
_OTHERS_IN_FILE = (logging.WARNING, logging.WARNING, logging.INFO, logging.DEBUG)
# What a record of ours may carry beside its message: fields of a JSON line.
_FIELDS = ("event", "mend", "counts", "seconds", "exit_code")


def begin(verbosity: int = 0, *, form: str = "text", file: Path | None = None, secrets: Iterable[str] = ()) -> None:
    """Say from here on what happens: to standard error, and to `file`, which is appended to.

    `secrets` are never written: "[secret]" stands in their place. Raises UsageError if the file cannot be opened.
    """
    # As they are, and as they are once what opens doors in addresses was taken out (which is done to each record).
    secrets = tuple(text for secret in secrets if secret for text in (secret, urls.without_secrets(secret)))
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].addFilter(_Enough(_of(_OURS, verbosity), _of(_OTHERS, verbosity)))
    handlers[0].setFormatter(_Json(secrets) if form == "json" else _Terminal(secrets))
    if file is not None:
        try:
            # Opened to append: logrotate may cut it back (copytruncate) or move it away between two runs.
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"--log-file {file} cannot be written ({error.strerror}); name another") from error
        handlers[1].addFilter(_Enough(logging.INFO, _of(_OTHERS_IN_FILE, verbosity)))
        handlers[1].setFormatter(_Json(secrets) if form == "json" else _Lines(secrets))
    sys.excepthook = _say_bug
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.captureWarnings(True)
    # Not even made: Scrapy has a word for each page.
    logging.disable(logging.NOTSET if verbosity > 2 else logging.DEBUG)


def _of(levels: tuple[int, ...], verbosity: int) -> int:
    return levels[min(verbosity, len(levels) - 1)]


class _Enough(logging.Filter):
    """Lets through what is important enough: of ours from one level on, of others from another."""

    def __init__(self, ours: int, others: int) -> None:
        super().__init__()
        self._ours, self._others = ours, others

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= (self._ours if record.name == OURS else self._others)


class _Formatter(logging.Formatter):
    """Text that is harmless to a terminal and without secrets, whoever wrote it."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def told(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return urls.without_secrets(text)

    def traceback(self, record: logging.LogRecord) -> str:
        return self.told(self.formatException(record.exc_info)) if record.exc_info else ""


class _Terminal(_Formatter):
    """As a person reads it: what is wrong with the name of the command before it, what others say with the time."""

    def format(self, record: logging.LogRecord) -> str:
        lines = self.told(record.getMessage()).split("\n")
        if record.name != OURS:
            moment = datetime.fromtimestamp(record.created, UTC)
            lines[0] = f"{moment:%H:%M:%S} [{record.name}] {record.levelname}: {lines[0]}"
        elif record.levelno >= logging.WARNING:
            lines = [f"redline: {line}" for line in lines]
        if mend := getattr(record, "mend", ""):
            lines.append(f"   {self.told(mend)}")
        return "\n".join(map(plain, [*lines, *self.traceback(record).splitlines()]))


class _Lines(_Formatter):
    """A line in a file, with the time; a traceback in lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        text = self.told(" ".join(filter(None, [record.getMessage(), getattr(record, "mend", "")])))
        first = f"{moment:%Y-%m-%dT%H:%M:%SZ} {record.levelname} {record.name}: {text}"
        return "\n".join(map(plain, [first, *self.traceback(record).splitlines()]))


class _Json(_Formatter):
    """One object a line: time, level, logger, message, what else the record has, the traceback as text."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.told(record.getMessage()),
        }
        fields = {name: getattr(record, name, None) for name in _FIELDS}
        line |= {
            name: self.told(value) if isinstance(value, str) else value
            for name, value in fields.items()
            if value not in (None, "")
        }
        if traceback := self.traceback(record):
            line["traceback"] = traceback
        # Control characters and bidi overrides leave as \u001b: a file of lines is looked at in a terminal too.
        return json.dumps(line)


def _say_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(OURS).critical(
        "this is a bug of Redline's, please report it", exc_info=(kind, error, trace), extra={"event": "bug"}
    )
