"""What waits for a consumer is bounded in bytes."""

from __future__ import annotations

import threading
import time

from moviola.video.worker.session import Backlog


def put_in_thread(backlog, item, size):
    thread = threading.Thread(target=backlog.put, args=(item, size), daemon=True)
    thread.start()
    return thread


def test_more_than_fits_waits_for_room():
    backlog = Backlog(100)
    backlog.put("a", 60)
    waiting = put_in_thread(backlog, "b", 60)
    time.sleep(0.1)
    assert waiting.is_alive()
    assert backlog.get() == "a"
    waiting.join(5)
    assert backlog.get() == "b"


def test_what_is_larger_than_all_room_goes_alone():
    backlog = Backlog(100)
    backlog.put("huge", 1000)
    waiting = put_in_thread(backlog, "small", 1)
    time.sleep(0.1)
    assert waiting.is_alive()
    assert [backlog.get(), backlog.get()] == ["huge", "small"]


def test_small_items_wait_together():
    backlog = Backlog(100)
    for number in range(100):
        backlog.put(number, 1)
    assert [backlog.get() for _ in range(100)] == list(range(100))


def test_nobody_waits_for_a_consumer_that_has_gone():
    backlog = Backlog(10)
    backlog.put("a", 10)
    waiting = put_in_thread(backlog, "b", 10)
    backlog.close()
    waiting.join(5)
    assert not waiting.is_alive()
    backlog.put("c", 1)
    assert backlog.is_closed
