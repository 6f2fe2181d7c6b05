"""What only a directory can do wrong."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import LocalStore
from tui.stores.local import DirectoryStore
from tui.stores.store import KeyRefused, ObjectMissing, StoreDenied, StoreFull, StoreMissing


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    return DirectoryStore(LocalStore("nas", root))


def keys(store: DirectoryStore) -> list[str]:
    return [found.key for page in store.pages() for found in page]


def test_a_missing_directory_is_a_problem_and_not_an_empty_store(tmp_path: Path) -> None:
    store = DirectoryStore(LocalStore("nas", tmp_path / "unmounted"))
    for ask in (
        lambda: list(store.pages()),
        lambda: store.stat("a.dump"),
        lambda: store.read("a.dump", 0, 1),
    ):
        with pytest.raises(StoreMissing, match="directory of the store nas is not there") as caught:
            ask()
        assert caught.value.mend
        assert caught.value.exit_code == 5


def test_writing_into_a_missing_directory_is_refused_and_makes_none(tmp_path: Path) -> None:
    store = DirectoryStore(LocalStore("nas", tmp_path / "unmounted"))
    with pytest.raises(StoreMissing, match="directory of the store nas is not there"):
        store.put("a.dump", b"x")
    assert not (tmp_path / "unmounted").exists()


def test_writing_makes_folders_for_their_owner_only(tmp_path: Path) -> None:
    store = DirectoryStore(LocalStore("new", tmp_path))
    store.put("c/d.dump", b"x")
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o700


def test_the_last_file_takes_its_empty_folders_along(store: DirectoryStore, root: Path) -> None:
    for key in ("a/b/one", "a/b/two", "a/three", "four"):
        store.put(key, b"x")
    store.delete("a/b/one")
    assert (root / "a" / "b" / "two").exists()
    store.delete("a/b/two")
    assert not (root / "a" / "b").exists() and (root / "a" / "three").exists()
    for key in ("a/three", "four", "not/there"):
        store.delete(key)
    assert root.is_dir() and not list(root.iterdir())


def test_a_folder_that_someone_made_for_others_stays(tmp_path: Path) -> None:
    """And with a store that is given by a link, too."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = DirectoryStore(LocalStore("nas", tmp_path / "link"))
    shared = tmp_path / "real" / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    for key in ("shared/mine/one", "own/one"):
        store.put(key, b"x")
        store.delete(key)
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["shared"]
    assert shared.stat().st_mode & 0o7777 == 0o2770 and not list(shared.iterdir())


def test_writing_beside_a_deletion_never_fails_for_a_folder_that_went(store: DirectoryStore) -> None:
    failed: list[PgdrError] = []

    def comes_and_goes(name: str) -> None:
        try:
            for number in range(200):
                store.put(f"a/b/{name}{number}", b"x")
                store.delete(f"a/b/{name}{number}")
        except PgdrError as error:
            failed.append(error)

    threads = [threading.Thread(target=comes_and_goes, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed and not any(thread.is_alive() for thread in threads)


def test_links_that_lead_out_are_neither_listed_nor_followed(
    store: DirectoryStore, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.dump").write_bytes(b"PGDMP")
    (root / "real.dump").write_bytes(b"PGDMP")
    (root / "latest.dump").symlink_to("real.dump")
    (root / "out.dump").symlink_to(outside / "secret.dump")
    (root / "folder").symlink_to(outside)
    (root / "again").symlink_to(root)
    (root / "itself").symlink_to("itself")
    (root / "nothing").symlink_to("gone")
    assert keys(store) == ["latest.dump", "real.dump"]
    assert store.read("latest.dump", 0, 5) == b"PGDMP"
    for key in ("out.dump", "folder/secret.dump"):
        with pytest.raises(KeyRefused, match="leads out"):
            store.read(key, 0, 5)
    with pytest.raises(KeyRefused):
        store.put("folder/new.dump", b"x")
    with pytest.raises(KeyRefused):
        store.delete("folder/secret.dump")
    with pytest.raises(KeyRefused):
        store.stat("itself")
    store.delete("latest.dump")  # the link, not what it leads to
    assert keys(store) == ["real.dump"]
    store.put("out.dump", b"mine")  # takes the link's place
    assert (outside / "secret.dump").read_bytes() == b"PGDMP"
    assert store.read("out.dump", 0, 9) == b"mine"


def test_the_directory_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (root / "a.dump").touch()
    (tmp_path / "link").symlink_to(root)
    assert keys(DirectoryStore(LocalStore("nas", tmp_path / "link"))) == ["a.dump"]


def test_half_written_files_pipes_and_folders_are_no_objects(store: DirectoryStore, root: Path) -> None:
    (root / ".pgdr-abc.partial").touch()
    (root / "folder.dump").mkdir()
    os.mkfifo(root / "pipe.dump")
    (root / ".hidden.dump").touch()
    assert keys(store) == [".hidden.dump"]
    for key in ("pipe.dump", "folder.dump"):
        with pytest.raises(ObjectMissing):
            store.read(key, 0, 1)


def test_names_that_are_no_utf8_are_listed_and_read(store: DirectoryStore, root: Path) -> None:
    (Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.dump"))).write_bytes(b"PGDMP")
    [key] = keys(store)
    assert store.read(key, 0, 5) == b"PGDMP"


def test_a_file_in_the_way_of_a_folder(store: DirectoryStore) -> None:
    store.put("a", b"x")
    with pytest.raises(KeyRefused, match="in its way"):
        store.put("a/b", b"x")
    store.put("c/d", b"x")
    with pytest.raises(KeyRefused, match="in its way"):
        store.put("c", b"x")
    with pytest.raises(KeyRefused, match="too long"):
        store.put("n" * 300, b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_said_and_nothing_stays(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel's own ENOSPC: the temporary file's handle is one of /dev/full.
    real = os.fdopen

    def on_full_disk(handle: int, mode: str) -> object:
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), mode, 0)

    monkeypatch.setattr("tui.stores.local.os.fdopen", on_full_disk)
    with pytest.raises(StoreFull, match="nas is full") as caught:
        store.write("a.dump", [b"x" * 10])
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert list(root.iterdir()) == []


def test_a_download_that_cannot_fit_is_refused_before_it_begins(
    store: DirectoryStore, root: Path, tmp_path: Path
) -> None:
    with (root / "huge.dump").open("wb") as file:
        file.truncate(1 << 42)  # 4 TiB of nothing
    told: list[int] = []
    with pytest.raises(StoreFull, match="too small"):
        store.fetch("huge.dump", tmp_path / "here", told.append, lambda: False)
    assert told == []
    assert not (tmp_path / "here").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said_after_what_may(store: DirectoryStore, root: Path) -> None:
    (root / "a.dump").touch()
    (root / "b").mkdir(mode=0)
    pages = store.pages()
    assert [found.key for found in next(pages)] == ["a.dump"]
    with pytest.raises(StoreDenied, match="Permission denied"):
        next(pages)


def test_permission_errors_are_sentences(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(root))

    monkeypatch.setattr("tui.stores.local.tempfile.mkstemp", denied)
    with pytest.raises(StoreDenied, match=r"nas can't be written: Permission denied") as caught:
        store.put("a.dump", b"x")
    assert "right to write" in str(caught.value.mend)
    monkeypatch.setattr("tui.stores.local.os.scandir", denied)
    with pytest.raises(StoreDenied, match=r"nas can't be read"):
        list(store.pages())


def test_a_dead_mount_is_unreachable(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: object) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr("tui.stores.local.os.scandir", stale)
    with pytest.raises(Unreachable, match="nas can't be read"):
        list(store.pages())


def test_the_path_of_an_object(store: DirectoryStore, root: Path) -> None:
    store.put("a.dump", b"x")
    assert store.path("a.dump") == (root / "a.dump").resolve()
    with pytest.raises(ObjectMissing):
        store.path("b.dump")
