"""Real keys of age, SSH and GPG, made anew."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from tui.model.fleet import Encryption, Fleet
from tui.model.secret import Secret


@dataclass(frozen=True)
class AgeKey:
    """An age identity in a file, and its recipient."""

    file: Path
    recipient: str

    @property
    def fleet(self) -> Fleet:
        """A fleet whose identity it is."""
        return Fleet("keys", encryption=Encryption(age_identity=Secret(file=self.file)))


def age_key(directory: Path, name: str = "age.key") -> AgeKey:
    """A new one, as age-keygen writes it."""
    identity = pyrage.x25519.Identity.generate()
    file = directory / name
    file.write_text(f"# created: 2026-11-21T03:10:00Z\n# public key: {identity.to_public()}\n{identity}\n")
    file.chmod(0o600)
    return AgeKey(file, str(identity.to_public()))


@dataclass(frozen=True)
class GpgKey:
    """A GPG key in a home of its own."""

    home: Path
    fingerprint: str
    passphrase: Path | None = None
    fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        secret = Secret(file=self.passphrase) if self.passphrase else None
        encryption = Encryption(gnupg_home=self.home, gpg_passphrase=secret)
        object.__setattr__(self, "fleet", Fleet("keys", encryption=encryption))

    @property
    def recipient(self) -> str:
        """As encrypt_to names it."""
        return f"gpg:{self.fingerprint}"


@contextmanager
def gpg_home() -> Iterator[Path]:
    """A directory for GPG; short, since its agent's socket lies in it, and stopped afterwards."""
    home = Path(tempfile.mkdtemp(prefix="pgdr-gpg-"))
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def gpg_key(home: Path, name: str = "backup@example.org", passphrase: str = "") -> GpgKey:
    """A new one that can sign and encrypt."""
    gpg(home, "--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-gen-key", name,
        "future-default", "default", "never")  # fmt: skip
    lines = gpg(home, "--with-colons", "--list-keys", name).splitlines()
    file = None
    if passphrase:
        file = home / "passphrase"
        file.write_text(passphrase + "\n")
    return GpgKey(home, next(line.split(":")[9] for line in lines if line.startswith("fpr")), file)


def gpg(home: Path, *arguments: str) -> str:
    """Runs gpg there; returns what it printed."""
    done = subprocess.run(
        ["gpg", "--homedir", str(home), "--batch", "--no-tty", *arguments],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout
