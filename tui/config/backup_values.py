"""Readers of how a backup is made: compressed with what, and encrypted for whom."""

from __future__ import annotations

import re
from pathlib import Path

from tui.config.values import Unfit, found, path, text

FORMATS = ("custom", "directory", "plain")
# pg_dump's words and their levels: https://www.postgresql.org/docs/current/app-pgdump.html, --compress
_LEVELS = {"none": range(0), "gzip": range(1, 10), "lz4": range(1, 13), "zstd": range(1, 23)}
_AGE = re.compile(r"age1[02-9ac-hj-np-z]{58}")  # bech32 of 32 bytes: https://age-encryption.org/v1
_SSH = re.compile(r"(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]{40,}={0,2}( .*)?")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_WANTED = "expected an age recipient (age1…), an SSH public key (ssh-ed25519 …, ssh-rsa …) or gpg:FINGERPRINT"


def compression(value: object, base: Path) -> str:
    """`none`, `gzip`, `lz4` or `zstd`, maybe with a level: `zstd:3`."""
    name, colon, level = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name in _LEVELS and (not colon or (level.isdecimal() and int(level) in _LEVELS[name])):
        return f"{name}{colon}{level}"
    raise Unfit(
        f'expected "none", "gzip", "lz4" or "zstd", maybe with a level ("zstd:3"), found {found(value)}.',
        "Levels: gzip 1 to 9, lz4 1 to 12, zstd 1 to 22.",
    )


def recipient(value: object, base: Path) -> str:
    """Who will be able to read: a public key of age, SSH or GPG. A secret key is never repeated."""
    read = text(value, base).strip()
    if "SECRET" in read.upper() or "PRIVATE" in read.upper():
        raise Unfit(
            "holds a secret key.", "Write its public half, and treat the secret one as known to others."
        )
    if _AGE.fullmatch(read) or _SSH.fullmatch(read):
        return read
    if not read.startswith("gpg:"):
        raise Unfit(
            f"{_WANTED}.", "A public key: of age-keygen -y, of an id_ed25519.pub, of gpg --fingerprint."
        )
    key = read.removeprefix("gpg:").strip()
    if "/" in key or key.endswith((".asc", ".gpg", ".pub")):
        return f"gpg:{path(key, base)}"
    fingerprint = key.replace(" ", "").upper()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise Unfit(
            "expected the whole fingerprint of a GPG key (40 hexadecimal digits), or a file with the key.",
            "gpg --fingerprint shows it. A name or a short id may be another's.",
        )
    return f"gpg:{fingerprint}"
