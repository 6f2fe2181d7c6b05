"""Encrypting a stream for public keys and opening it again, in bounded memory: age and GPG.

age (and SSH keys) by the pyrage package, the format of https://age-encryption.org/v1; GPG by the program
`gpg`. Secret keys are named in the configuration's [encryption], or are where GPG keeps its own.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage

from tui.config.secrets import reveal
from tui.model.errors import ArchiveError, ConfigError, PgdrError
from tui.model.fleet import Encryption, Fleet
from tui.model.text import clean, clean_lines
from tui.operations.layers.encryption_pipe import Reader, Writer, filtered, through
from tui.process import Command

AGE, GPG = "age", "gpg"
KINDS = (AGE, GPG)  # each is the end of an encrypted backup's key, too: KEY.dump.age

_LOCKED = ("Bad passphrase", "No pinentry", "Inappropriate ioctl", "No such device", "Operation cancelled")
_LONGEST_IDENTITY = 1 << 20
_CUT = "It is damaged, or cut short. Use another copy of this backup, or another one."


class NoKey(PgdrError):
    """No key at hand opens what is encrypted."""


def kind_of(recipients: tuple[str, ...]) -> str | None:
    """What encrypts for these recipients: "age", "gpg", or None for none."""
    if not recipients:
        return None
    return GPG if recipients[0].startswith("gpg:") else AGE


def encrypted(
    chunks: Iterable[bytes], recipients: tuple[str, ...], home: Path | None = None
) -> Generator[bytes]:
    """Gives `chunks` encrypted for each of `recipients` (of one kind; see [databases.X.backup] encrypt_to),
    in pieces of about a megabyte. `home` is GPG's directory, where it isn't its own.

    What `chunks` raises passes through. Raises ConfigError for a recipient that can't be used, PgdrError
    when gpg fails. A caller that stops early closes the iterator, or leaves it to the garbage collector.
    """
    if kind_of(recipients) == GPG:
        return _gpg_encrypted(chunks, recipients, home)
    keys = [_recipient(recipient) for recipient in recipients]

    def work(reader: Reader, writer: Writer) -> None:
        pyrage.encrypt_io(reader, writer, keys)

    return through(work, chunks, lambda error: PgdrError("age could not encrypt.", clean(str(error), 300)))


def decrypted(chunks: Iterable[bytes], kind: str, fleet: Fleet) -> Generator[bytes]:
    """Gives what `chunks` hold encrypted. `kind` is "age" or "gpg".

    What comes out is right as far as it goes with age; with gpg it is only when the iterator has ended
    without an error. What `chunks` raises passes through. Raises NoKey when no key at hand opens it,
    ConfigError when the identity can't be read, ArchiveError when it is damaged, cut short or not encrypted.
    """
    if kind == GPG:
        return _gpg_decrypted(chunks, fleet.encryption)
    keys = _identities(fleet.encryption)

    def work(reader: Reader, writer: Writer) -> None:
        pyrage.decrypt_io(reader, writer, keys)

    return through(work, chunks, _age_failure)


def check_recipients(recipients: tuple[str, ...], home: Path | None = None) -> None:
    """Raises ConfigError when one can't be encrypted for. Costs little: before pg_dump is started."""
    for _ in encrypted((b"",), recipients, home):
        pass


def _recipient(text: str) -> Any:
    kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(text)
    except pyrage.RecipientError as error:
        raise ConfigError(
            f"The recipient “{clean(text, 40)}” is no public key: {clean(str(error), 100)}.",
            mend="Copy it anew into encrypt_to; age-keygen -y shows it.",
        ) from None


def _identities(encryption: Encryption) -> list[Any]:
    """The age and SSH identities of [encryption]. Raises NoKey without any, ConfigError."""
    secret = encryption.age_identity
    if secret is None:
        raise NoKey(
            "It is encrypted with age, and no identity is configured here.",
            mend='Name the key\'s file: [encryption] age_identity = { file = "…" }',
        )
    if secret.file is None:
        where, text = f"the variable {secret.env}", reveal(secret)
    else:
        where = str(secret.file)
        try:
            with secret.file.open("rb") as file:
                text = file.read(_LONGEST_IDENTITY).decode("utf-8", "replace")
        except OSError as error:
            raise ConfigError(
                f"The age identity {clean(where)} could not be read: {error.strerror}.",
                mend="Correct [encryption] age_identity, or bring the key here.",
            ) from None
    try:
        if "PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        found = []  # its message could repeat the key
    if not found:
        raise ConfigError(
            f"The age identity in {clean(where)} can't be used.",
            mend="Put what age-keygen writes there (AGE-SECRET-KEY-1…), or an SSH private key, neither locked"
            " by a passphrase nor of a plugin.",
        )
    return found


def _age_failure(error: BaseException) -> PgdrError:
    said = str(error)
    if "No matching keys" in said:
        return NoKey(
            "It is encrypted with age, and the identity at hand doesn't open it.",
            mend="Bring the key of one of its recipients: [encryption] age_identity.",
        )
    return ArchiveError("It can't be decrypted with age.", f"{clean(said, 200)}.", _CUT)


def _gpg_encrypted(
    chunks: Iterable[bytes], recipients: tuple[str, ...], home: Path | None
) -> Generator[bytes]:
    # The recipient is named by its whole fingerprint, or lies in a file that was named: whether GPG trusts
    # its owner's name is beside the point. Archives are compressed already.
    argv = ["gpg", *_home(home), "--batch", "--no-tty", "--encrypt", "--trust-model", "always"]
    argv += ["--compress-algo", "none", "--output", "-"]
    for recipient in recipients:
        name = recipient.removeprefix("gpg:")
        argv += ["--recipient-file" if "/" in name else "--recipient", name]

    def failure(said: str, code: int) -> PgdrError | None:
        if code == 0:
            return None
        why = clean(said.splitlines()[-1], 200) if said else f"Its exit code is {code}."
        mend = "Is every recipient's public key in this user's keyring, and not expired? gpg --list-keys"
        return ConfigError(f"gpg could not encrypt. {why}", mend=mend)

    return filtered(Command(tuple(argv)), chunks, failure)


def _gpg_decrypted(chunks: Iterable[bytes], encryption: Encryption) -> Generator[bytes]:
    argv = ["gpg", *_home(encryption.gnupg_home), "--batch", "--no-tty", "--decrypt", "--status-fd", "2"]
    argv += ["--output", "-"]
    if encryption.gpg_passphrase is None:
        yield from filtered(Command(tuple(argv)), chunks, _gpg_failure)
        return
    with _passphrase(reveal(encryption.gpg_passphrase)) as end:
        argv += ["--pinentry-mode", "loopback", "--passphrase-fd", str(end)]
        yield from filtered(Command(tuple(argv)), chunks, _gpg_failure, pass_fds=(end,))


@contextmanager
def _passphrase(secret: str) -> Iterator[int]:
    """A pipe that holds the passphrase, for gpg alone: nothing of it is on disk or in argv."""
    read, write = os.pipe()
    try:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(secret.encode("utf-8", "surrogateescape") + b"\n")
        yield read
    finally:
        os.close(read)


def _gpg_failure(said: str, code: int) -> PgdrError | None:
    status = [line.split()[1:] for line in said.splitlines() if line.startswith("[GNUPG:] ")]
    words = {line[0] for line in status if line}
    if code == 0 and "DECRYPTION_OKAY" in words:
        return None
    if "DECRYPTION_OKAY" not in words and any(word in said for word in _LOCKED):
        return NoKey(
            "GPG's secret key is locked by a passphrase that isn't at hand, or is another.",
            mend="Name it: [encryption] gpg_passphrase, or unlock the key in gpg-agent.",
        )
    if "DECRYPTION_OKAY" not in words and "NO_SECKEY" in words:
        wanted = ", ".join(sorted({line[1] for line in status if len(line) > 1 and line[0] == "ENC_TO"}))
        return NoKey(
            "It is encrypted with GPG, and no key at hand opens it.",
            f"It is for the key {clean(wanted, 100)}." if wanted else None,
            "Import that secret key, or name the directory that has it: [encryption] gnupg_home.",
        )
    lines = [line for line in said.splitlines() if not line.startswith("[GNUPG:]")]
    return ArchiveError("It can't be decrypted with GPG.", clean_lines("\n".join(lines[-2:])) or None, _CUT)


def _home(home: Path | None) -> tuple[str, ...]:
    return ("--homedir", str(home)) if home is not None else ()
