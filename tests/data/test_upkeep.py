"""The caches of a user stay within bounds, and nothing else is touched."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import cache_of

from ftctl.data.cache.upkeep import tend
from ftctl.user_folders import is_cache, open_cache

DAY = 86_400


def aged(path: Path, days: float) -> Path:
    """The file, as if it had been written so long ago."""
    then = time.time() - days * DAY
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def put(path: Path, days: float, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return aged(path, days)


def opened(tmp_path: Path, name: str, days: float = 2) -> Path:
    """The cache of a project that was used so long ago."""
    (tmp_path / name).mkdir()
    cache = open_cache(tmp_path / name)
    aged(cache / "project", days)
    return cache


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return opened(tmp_path, "mine")


def test_projects_that_nobody_has_used_for_a_month_go(mine: Path, tmp_path: Path) -> None:
    old, young = opened(tmp_path, "old", 31), opened(tmp_path, "young", 29)
    put(old / "derived" / "a.jsonl", 31)

    tend(mine)

    assert not old.exists()
    assert (young / "project").is_file()


def test_my_own_project_stays_however_long_it_was_not_used(mine: Path) -> None:
    aged(mine / "project", 400)

    tend(mine)

    assert time.time() - (mine / "project").stat().st_mtime < DAY


def test_it_is_done_once_a_day(mine: Path, tmp_path: Path) -> None:
    tend(mine)
    old = opened(tmp_path, "old", 31)

    tend(mine)

    assert old.is_dir()


def _strange_name(cache: Path) -> None:
    cache.rename(cache.with_name("holiday"))


def _of_another_path(cache: Path) -> None:
    (cache / "project").write_text("/somewhere/else\n", "utf-8")
    aged(cache / "project", 400)


def _without_word(cache: Path) -> None:
    (cache / "project").unlink()
    aged(cache, 400)


def _linked(cache: Path) -> None:
    cache.rename(cache.parents[1] / "photos")
    cache.symlink_to(cache.parents[1] / "photos")


@pytest.mark.parametrize("change", [_strange_name, _of_another_path, _without_word, _linked])
def test_what_does_not_say_that_it_is_a_cache_is_not_deleted(
    mine: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    other = opened(tmp_path, "other", 400)
    put(other / "picture.jpg", 400)
    change(other)

    tend(mine, most_bytes=0)

    assert [path.name for path in mine.parents[1].rglob("picture.jpg")] == ["picture.jpg"]


def test_what_lies_beside_the_caches_is_not_touched(mine: Path) -> None:
    beside = [put(mine.parents[1] / "a", 400), put(mine.parent / "b", 400)]
    beside += [put(mine.parent / "c" / "d", 400), put(mine / "documents", 400)]

    tend(mine, most_bytes=0)

    assert all(path.is_file() for path in beside)


def test_of_too_much_the_projects_go_that_were_used_the_longest_ago(
    mine: Path, tmp_path: Path
) -> None:
    caches = [opened(tmp_path, name, days) for name, days in (("a", 3), ("b", 9), ("c", 6))]
    for cache in (*caches, mine):
        put(cache / "sources" / "x", 0, b"x" * 100_000)

    tend(mine, most_bytes=250_000)

    assert [cache.exists() for cache in (*caches, mine)] == [True, False, False, True]


def test_a_project_that_is_in_use_stays_whatever_its_size(mine: Path, tmp_path: Path) -> None:
    busy = opened(tmp_path, "busy", 0.5)

    tend(mine, most_bytes=0)

    assert busy.is_dir()
    assert mine.is_dir()


def test_downloads_that_nobody_has_used_for_a_month_go(mine: Path) -> None:
    sources, known = mine / "sources", mine / "sources" / "known"
    unused, unseen, used = (put(sources / name, 40) for name in ("a" * 64, "b" * 64, "c" * 64))
    put(known / f"{'a' * 64}.seen", 31)
    put(known / f"{'c' * 64}.seen", 2)
    old, young = put(known / "x.json", 31), put(known / "y.json", 29)
    put(sources / ("e" * 64), 2)
    put(known / f"{'e' * 64}.seen", 31)
    stray = put(known / f"{'d' * 64}.seen", 31)

    tend(mine)

    assert [path.exists() for path in (unused, unseen, used)] == [False, False, True]
    assert [path.exists() for path in (old, young, stray)] == [False, True, False]
    assert sorted(path.name[0] for path in known.glob("*.seen")) == ["c", "e"]


def _entry(derived: Path, key: str, days: float, *parts: str) -> Path:
    known = {"parts": {str(number): [sha256, 1] for number, sha256 in enumerate(parts)}}
    for part in known["parts"]:
        put(derived / f"{key}-{part}.rows", days)
    return put(derived / f"{key}.json", days, json.dumps(known).encode())


def test_made_files_go_with_the_last_entry_that_names_them(mine: Path) -> None:
    derived = mine / "derived"
    old = _entry(derived, "old", 31, "a" * 64, "b" * 64)
    young = _entry(derived, "young", 29, "b" * 64)
    made = [put(derived / f"{letter * 16}.jsonl", 40) for letter in "abc"]
    just_made = put(derived / f"{'d' * 16}.jsonl", 0)
    broken = put(derived / "broken.json", 2, b"{[")

    tend(mine)

    assert (old.exists(), young.exists(), broken.exists()) == (False, True, True)
    assert [path.exists() for path in made] == [False, True, False]
    assert just_made.exists()
    assert sorted(path.name for path in derived.glob("*.rows")) == ["young-0.rows"]


def test_links_and_pipes_among_them_are_left_alone(mine: Path, tmp_path: Path) -> None:
    precious = put(tmp_path / "precious" / "rows.jsonl", 400)
    (mine / "derived").symlink_to(precious.parent)
    (mine / "sources").mkdir()
    link, pipe = mine / "sources" / ("a" * 64), mine / "sources" / ("b" * 64)
    link.symlink_to(precious)
    os.mkfifo(pipe)
    aged(link, 400)
    aged(pipe, 400)

    tend(mine, most_bytes=0)

    assert precious.is_file()
    assert (link.is_symlink(), pipe.exists()) == (True, True)


def test_a_cache_says_whose_it_is(mine: Path, tmp_path: Path) -> None:
    assert mine == cache_of(tmp_path / "mine")
    assert is_cache(mine)
    assert (mine / "project").read_text("utf-8") == f"{tmp_path / 'mine'}\n"
    assert (mine / "CACHEDIR.TAG").read_text("utf-8").startswith("Signature: 8a477f597d28d17278")
    assert (mine / ".gitignore").read_text("utf-8") == "*\n"
