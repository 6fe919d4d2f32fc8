from __future__ import annotations

import os
import time

import pytest

from moviola.pipeline.watch.settling import Settling


@pytest.fixture
def folder(tmp_path):
    return tmp_path


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def write(path, size=10, *, age=0.0):
    path.write_bytes(b"x" * size)
    stamp = time.time() - age
    os.utime(path, (stamp, stamp))
    return path


def test_an_old_file_has_settled_at_once(folder, clock):
    write(folder / "a.mp4", age=100)
    glance = Settling([folder], 5, clock).glance()
    assert glance.changed
    assert not glance.growing


def test_a_new_file_waits_until_it_looks_the_same_for_long_enough(folder, clock):
    settling = Settling([folder], 5, clock)
    path = write(folder / "a.mp4")
    assert settling.glance().growing == {path}
    clock.now += 3
    write(path, 20)  # it grows
    assert settling.glance().growing == {path}
    clock.now += 4  # 7 s after it came, 4 s after it grew
    glance = settling.glance()
    assert glance.growing == {path}
    assert not glance.changed
    clock.now += 1.1
    glance = settling.glance()
    assert glance.changed
    assert not glance.growing


def test_what_was_taken_is_no_news(folder, clock):
    path = write(folder / "a.mp4", age=100)
    settling = Settling([folder], 5, clock)
    settling.glance()
    settling.take()
    assert not settling.glance().changed
    path.unlink()
    assert settling.glance().changed
    settling.take()
    assert not settling.glance().changed


def test_a_file_that_was_taken_and_grows_again_waits_and_is_news_afterwards(folder, clock):
    path = write(folder / "a.mp4", age=100)
    settling = Settling([folder], 5, clock)
    settling.glance()
    settling.take()
    write(path, 30)
    glance = settling.glance()
    assert (glance.changed, glance.growing) == (False, {path})
    settling.take()
    clock.now += 6
    assert settling.glance().changed


def test_a_file_that_goes_while_it_grows_is_nothing(folder, clock):
    settling = Settling([folder], 5, clock)
    path = write(folder / "a.mp4")
    settling.glance()
    path.unlink()
    glance = settling.glance()
    assert (glance.changed, glance.growing) == (False, frozenset())


def test_other_files_are_not_looked_at(folder, clock):
    write(folder / "notes.txt", age=100)
    assert not Settling([folder], 5, clock).glance().changed


def test_f30_a_thousand_files_at_once_settle_together(folder, clock):
    settling = Settling([folder], 2, clock)
    paths = {write(folder / f"{number}.mp4") for number in range(1000)}
    glance = settling.glance()
    assert glance.growing == paths
    assert not glance.changed
    clock.now += 1
    late = write(folder / "7.mp4", 20)
    settling.glance()
    clock.now += 1.5
    glance = settling.glance()
    assert glance.growing == {late}
    assert glance.changed
    settling.take()
    clock.now += 1
    glance = settling.glance()
    assert (glance.changed, glance.growing) == (True, frozenset())
