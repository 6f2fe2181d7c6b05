"""Streams are encrypted for public keys and opened by secret ones, and nothing damaged passes for whole."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.backup.keys import AgeKey, GpgKey, age_key, gpg_home, gpg_key
from tui.model.errors import ArchiveError, ConfigError
from tui.model.fleet import Encryption, Fleet
from tui.model.secret import Secret
from tui.operations.layers.encryption import NoKey, check_recipients, decrypted, encrypted

DATA = os.urandom(3_000_003)


def pieces(data: bytes = DATA, size: int = 70_001) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def joined(chunks: Iterable[bytes]) -> bytes:
    return b"".join(chunks)


@pytest.fixture
def age(tmp_path: Path) -> AgeKey:
    return age_key(tmp_path)


def test_age_there_and_back(age: AgeKey, tmp_path: Path) -> None:
    other = age_key(tmp_path, "other.key")
    stored = joined(encrypted(pieces(), (other.recipient, age.recipient)))
    assert stored.startswith(b"age-encryption.org/v1") and DATA[:100] not in stored
    for key in (age, other):
        assert joined(decrypted(pieces(stored), "age", key.fleet)) == DATA
    assert joined(decrypted(encrypted((), (age.recipient,)), "age", age.fleet)) == b""


def test_ssh_keys_are_identities_of_age(tmp_path: Path) -> None:
    key = tmp_path / "id"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@db1", "-f", str(key)]
    subprocess.run(argv, check=True, timeout=60)
    public = key.with_suffix(".pub").read_text().strip()
    fleet = Fleet("ssh", encryption=Encryption(age_identity=Secret(file=key)))
    assert joined(decrypted(encrypted(pieces(), (public,)), "age", fleet)) == DATA


def test_an_identity_in_a_variable(age: AgeKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGE_KEY", age.file.read_text().splitlines()[-1])
    fleet = Fleet("variable", encryption=Encryption(age_identity=Secret(env="AGE_KEY")))
    assert joined(decrypted(encrypted(pieces(), (age.recipient,)), "age", fleet)) == DATA


def test_gpg_there_and_back(gpg_one: GpgKey) -> None:
    stored = joined(encrypted(pieces(), (gpg_one.recipient,), gpg_one.home))
    assert DATA[:100] not in stored
    assert joined(decrypted(pieces(stored), "gpg", gpg_one.fleet)) == DATA


def test_gpg_takes_a_public_key_from_a_file(gpg_one: GpgKey, tmp_path: Path) -> None:
    argv = ["gpg", "--homedir", str(gpg_one.home), "--batch", "--export", gpg_one.fingerprint]
    key = tmp_path / "key.gpg"
    key.write_bytes(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout)
    with gpg_home() as empty:
        stored = joined(encrypted(pieces(), (f"gpg:{key}",), empty))
    assert joined(decrypted(pieces(stored), "gpg", gpg_one.fleet)) == DATA


def test_gpg_s_passphrase_travels_by_a_pipe() -> None:
    with gpg_home() as home:
        key = gpg_key(home, passphrase="correct horse")
        stored = joined(encrypted(pieces(), (key.recipient,), home))
        assert joined(decrypted(pieces(stored), "gpg", key.fleet)) == DATA
        assert key.passphrase is not None
        key.passphrase.write_text("wrong\n")
        subprocess.run(["gpgconf", "--homedir", str(home), "--reload", "gpg-agent"], check=True, timeout=30)
        with pytest.raises(NoKey, match="locked by a passphrase"):
            joined(decrypted(pieces(stored), "gpg", key.fleet))


@pytest.mark.parametrize("kept", [0, 100, 70_000, len(DATA) - 5])
def test_what_is_cut_short_is_told(age: AgeKey, kept: int) -> None:
    stored = joined(encrypted(pieces(), (age.recipient,)))
    with pytest.raises(ArchiveError, match="can't be decrypted"):
        joined(decrypted(pieces(stored[:kept]), "age", age.fleet))


@pytest.mark.parametrize("kept", [0, 70_000, len(DATA) - 5])
def test_what_gpg_has_cut_short_is_told(gpg_one: GpgKey, kept: int) -> None:
    stored = joined(encrypted(pieces(), (gpg_one.recipient,), gpg_one.home))
    with pytest.raises(ArchiveError, match="can't be decrypted"):
        joined(decrypted(pieces(stored[:kept]), "gpg", gpg_one.fleet))


def test_damage_is_told(age: AgeKey, gpg_one: GpgKey) -> None:
    for key in (age, gpg_one):
        kind = "age" if key is age else "gpg"
        stored = bytearray(joined(encrypted(pieces(), (key.recipient,), gpg_one.home)))
        stored[1_500_000] ^= 1
        with pytest.raises(ArchiveError):
            joined(decrypted(pieces(bytes(stored)), kind, key.fleet))
        with pytest.raises(ArchiveError):
            joined(decrypted(pieces(b"PGDMP, and not encrypted at all" * 9), kind, key.fleet))


def test_what_came_before_the_damage_comes_out(age: AgeKey) -> None:
    stored = joined(encrypted(pieces(), (age.recipient,)))
    assert next(decrypted(pieces(stored[:200_000]), "age", age.fleet))[:1000] == DATA[:1000]


def test_without_the_key_it_says_so(age: AgeKey, gpg_one: GpgKey, tmp_path: Path) -> None:
    stored = joined(encrypted(pieces(), (age.recipient,)))
    with pytest.raises(NoKey, match="no identity is configured"):
        joined(decrypted(pieces(stored), "age", Fleet("none")))
    with pytest.raises(NoKey, match="doesn't open it"):
        joined(decrypted(pieces(stored), "age", age_key(tmp_path, "other.key").fleet))
    stored = joined(encrypted(pieces(), (gpg_one.recipient,), gpg_one.home))
    with gpg_home() as empty, pytest.raises(NoKey, match="no key at hand") as caught:
        joined(decrypted(pieces(stored), "gpg", Fleet("none", encryption=Encryption(gnupg_home=empty))))
    assert caught.value.why and "It is for the key" in caught.value.why


def test_an_identity_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    bad = tmp_path / "bad.key"
    bad.write_text("AGE-SECRET-KEY-1NOTAKEY\n")
    for file in (bad, tmp_path / "nosuch"):
        fleet = Fleet("bad", encryption=Encryption(age_identity=Secret(file=file)))
        with pytest.raises(ConfigError) as caught:
            joined(decrypted(pieces(), "age", fleet))
        assert "NOTAKEY" not in str(caught.value)


def test_recipients_that_can_t_be_used_are_told_first(gpg_one: GpgKey) -> None:
    check_recipients((gpg_one.recipient,), gpg_one.home)
    for recipient in ("gpg:" + "A" * 40, "age1" + "q" * 58, "ssh-ed25519 " + "A" * 60):
        with pytest.raises(ConfigError):
            check_recipients((recipient,), gpg_one.home)


class Broken(Exception):
    pass


def test_what_the_chunks_raise_passes_through(age: AgeKey, gpg_one: GpgKey) -> None:
    def broken() -> Iterator[bytes]:
        yield DATA
        raise Broken

    for recipient in (age.recipient, gpg_one.recipient):
        with pytest.raises(Broken):
            joined(encrypted(broken(), (recipient,), gpg_one.home))


def test_who_stops_early_leaves_no_thread(age: AgeKey, gpg_one: GpgKey) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield DATA

    for recipient in (age.recipient, gpg_one.recipient):
        out = encrypted(endless(), (recipient,), gpg_one.home)
        next(out)
        out.close()
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith(("pgdr-cipher", "pgdr-filter"))}
