"""Listing by guessed stretches: every key once and in order, however wrong the guesses are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.servers import Bucket
from tui.stores.open import open_store
from tui.stores.s3 import BucketStore
from tui.stores.s3_stretches import LISTED, behind, borders

PAGE = 5
NAMES = st.text("ab019-./é", min_size=1, max_size=6)


class Server:
    """ListObjectsV2 as AWS documents it: keys in UTF-8 order, StartAfter exclusive, a token per page."""

    def __init__(self, keys: set[str], heeds_start: bool = True) -> None:
        self.keys = sorted(keys, key=str.encode)
        self.heeds_start = heeds_start
        self.asked = 0

    def ask(self, Prefix: str, StartAfter: str = "", ContinuationToken: str = "") -> dict[str, Any]:  # noqa: N803
        self.asked += 1
        after = ContinuationToken or (StartAfter if self.heeds_start else "")
        left = [k for k in self.keys if k.startswith(Prefix) and k.encode() > after.encode()]
        answer: dict[str, Any] = {"Contents": [(k,) for k in left[:PAGE]], "IsTruncated": len(left) > PAGE}
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = left[PAGE - 1]
        return answer


def objects(answer: dict[str, Any]) -> list[tuple[str]]:
    found: list[tuple[str]] = answer[LISTED] if LISTED in answer else answer["Contents"]
    return found


def listed(server: Server, prefix: str) -> list[str]:
    first = server.ask(Prefix=prefix)
    answers = [first, *behind(server.ask, objects, prefix, first)]
    return [key for answer in answers for (key,) in objects(answer)]


@given(st.sets(NAMES, max_size=80), st.booleans())
@example({f"a{n:03}" for n in range(80)} | {f"b-{n:02}" for n in range(40)}, True)
@example({f"a{n:03}" for n in range(80)}, False)
@settings(deadline=None)
def test_every_key_once_and_in_order(keys: set[str], heeds_start: bool) -> None:
    server = Server(keys, heeds_start)
    assert listed(server, "") == server.keys
    assert listed(server, "a") == [key for key in server.keys if key.startswith("a")]


def test_regular_names_cost_hardly_more_requests_than_pages() -> None:
    server = Server({f"kong-{n:06}.dump" for n in range(0, 3000, 7)})
    listed(server, "")
    assert server.asked < 2 * len(server.keys) / PAGE


def test_borders_are_in_the_order_of_keys() -> None:
    made = list(borders([f"kong-2026012{n}-0{n}0000.dump" for n in range(5)]))
    assert made == sorted(made) and len(made) > 3 and all(one.startswith("kong-20") for one in made)
    assert not list(borders(["a"])) and not list(borders(["b", "a"])) and not list(borders(["é", "ê"]))


def test_a_flat_bucket_of_several_databases(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.stores.s3.PAGE", 20)
    keys = {
        f"{name}-202601{n // 24:02}-{n % 24:02}0000.dump" for name in ("kong", "goalert") for n in range(300)
    }
    keys |= {f"{key}.manifest.json" for key in list(keys)[::3]} | {"a", "readme & more.txt", "z/é.dump"}
    for key in keys:
        (bucket.directory / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket.directory / key).touch()
    store = open_store(bucket.store)
    assert isinstance(store, BucketStore)
    assert [o.key for page in store.pages() for o in page] == sorted(keys, key=str.encode)
