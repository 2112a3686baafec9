"""What only the machine knows of an archive: the sizes of its files, the room beside them, who holds the lock."""

from __future__ import annotations

import shutil
from pathlib import Path

from crawler.health import Place


def place(archive: Path) -> Place:
    """Return where an archive lies. Raises OSError where there is none."""
    log = archive.with_name(archive.name + "-wal")
    holder = lock_holder(archive)
    return Place(
        file_bytes=archive.stat().st_size,
        log_bytes=log.stat().st_size if log.exists() else 0,
        disk_free_bytes=shutil.disk_usage(archive.parent).free,
        is_running=None if holder is None else holder > 0,
    )


def lock_holder(archive: Path) -> int | None:
    """Return the process that crawls this archive, 0 if none does, None where that cannot be told (no Linux).

    Read from the kernel's list: to try the lock would turn away a crawl that begins at that moment.
    """
    lock, locks = Path(f"{archive}.lock"), Path("/proc/locks")
    if not lock.exists():
        return 0
    try:
        held = locks.read_text()
    except OSError:
        return None
    # The device is not compared: some file systems (btrfs, overlayfs) tell another one here than to stat.
    inode = f":{lock.stat().st_ino}"
    for line in held.splitlines():
        # 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(inode):
            return int(fields[4])
    return 0
