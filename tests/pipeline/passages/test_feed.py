"""Feeds: bounded, ended, closed, and read by turns."""

from __future__ import annotations

import threading

import pytest

from moviola.core import FileCode, VideoUnreadableError
from moviola.pipeline.passages.feed import Feed


def start(target) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def test_items_come_in_order_and_no_more_wait_than_may():
    turn = threading.Lock()
    feed = Feed[int](10, turn)
    most = 0

    def fill() -> None:
        for number in range(50):
            feed.put(number, 4)
        feed.end()

    writer = start(fill)
    got = []
    with turn:
        for item in feed.read():
            most = max(most, feed._bytes)
            got.append(item)
    writer.join(10)
    assert got == list(range(50))
    assert most <= 12  # one may always wait


def test_an_item_larger_than_the_room_goes_alone():
    turn = threading.Lock()
    feed = Feed[str](1, turn)
    writer = start(lambda: (feed.put("large", 100), feed.put("next", 100), feed.end()))
    with turn:
        assert list(feed.read()) == ["large", "next"]
    writer.join(10)


def test_a_file_that_breaks_off_tells_after_what_came():
    turn = threading.Lock()
    feed = Feed[int](100, turn)
    feed.put(1, 1)
    feed.end(VideoUnreadableError("cut", code=FileCode.TRUNCATED))
    with turn:
        items = feed.read()
        assert next(items) == 1
        with pytest.raises(VideoUnreadableError, match="cut"):
            next(items)


def test_whoever_puts_is_let_go_when_the_reader_has_gone():
    feed = Feed[int](1, threading.Lock())
    feed.put(1, 1)
    writer = start(lambda: feed.put(2, 1))
    writer.join(0.1)
    assert writer.is_alive()
    feed.close()
    writer.join(10)
    assert not writer.is_alive()
    feed.put(3, 1)  # nobody waits, nothing is kept


def test_a_feed_is_read_once():
    feed = Feed[int](1, threading.Lock())
    feed.read()
    with pytest.raises(RuntimeError, match="only once"):
        feed.read()


def test_a_reader_that_waits_lets_others_have_the_turn():
    turn = threading.Lock()
    slow, quick = Feed[int](10, turn), Feed[int](10, turn)
    got = []

    def read(feed: Feed[int], name: str) -> None:
        with turn:
            got.extend((name, item) for item in feed.read())

    first = start(lambda: read(slow, "slow"))
    first.join(0.1)
    second = start(lambda: read(quick, "quick"))
    quick.put(1, 1)
    quick.end()
    second.join(10)
    assert got == [("quick", 1)]
    slow.put(2, 1)
    slow.end()
    first.join(10)
    assert got == [("quick", 1), ("slow", 2)]
