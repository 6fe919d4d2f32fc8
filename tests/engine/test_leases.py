"""A shard has one worker at a time; one that falls silent loses it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from moviola.engine.heartbeat import Heartbeat
from moviola.engine.leases import Claim, claim_shard, claims_of
from moviola.engine.run_store import open_run_store


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    if request.param == "memory":
        pytest.importorskip("fsspec")
        return open_run_store(f"memory://{tmp_path.name}")
    return open_run_store(str(tmp_path / "run"))


def test_files_appear_once_and_whole(store):
    assert store.read("a/b") is None
    assert store.names("a") == set()
    assert store.create("a/b", b"1")
    assert not store.create("a/b", b"2")
    assert store.read("a/b") == b"1"
    store.write("a/b", b"3")
    store.write("a/c/d", b"4")
    assert store.read("a/b") == b"3"
    assert store.names("a") == {"b", "c/d"}
    store.delete("a/b")
    store.delete("a/b")
    assert store.names("a") == {"c/d"}


def test_of_many_workers_one_gets_the_shard(store):
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: claim_shard(store, "s"), range(32)))
    assert sum(lease is not None for lease in found) == 1


def test_a_silent_worker_loses_its_shard(store):
    lease = claim_shard(store, "s", 60)
    assert claim_shard(store, "s", 60) is None
    elsewhere = replace(lease.claim, host="elsewhere", videos=("v",), beat=time.time() - 61)
    store.write(lease.name, elsewhere.to_json())
    second = claim_shard(store, "s", 60)
    assert second is not None
    assert second.deaths(60) == {"v": 1}
    assert len(claims_of(store, "s")) == 2


def test_a_dead_process_of_this_machine_loses_it_at_once(store):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    claim = replace(Claim.begin(), pid=process.pid, videos=("v", "w"))
    assert claim.host == socket.gethostname()
    store.create("claims/s/0", claim.to_json())
    assert claim_shard(store, "s") is None
    process.kill()
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT) is None:
        time.sleep(0.01)
    lease = claim_shard(store, "s")  # a zombie by now
    process.wait()
    assert lease.deaths(60) == {"v": 1, "w": 1}


def test_a_worker_that_was_stopped_did_not_die(store):
    lease = claim_shard(store, "s")
    with suppress(KeyboardInterrupt), Heartbeat(lease, every=60) as heartbeat:
        heartbeat.begin("v")
        raise KeyboardInterrupt
    assert claim_shard(store, "s").deaths(60) == {}


def test_a_shard_whose_file_is_gone_can_be_claimed_again(store):
    lease = claim_shard(store, "s")
    with Heartbeat(lease, every=60) as heartbeat:
        heartbeat.begin("v")
        heartbeat.finish("v")
        heartbeat.complete()
    assert claims_of(store, "s")[0].ended == "done"
    assert claim_shard(store, "s").deaths(60) == {}


def test_a_heartbeat_renews_and_tells_of_a_hang(store):
    left = []
    lease = claim_shard(store, "s")
    with Heartbeat(lease, every=0.05, patience=0.4, leave=lambda: left.append(1)) as heartbeat:
        heartbeat.begin("v")
        began = claims_of(store, "s")[0]
        time.sleep(0.2)
        later = claims_of(store, "s")[0]
        assert later.beat > began.beat
        assert (later.videos, later.ended, left) == (("v",), "", [])
        for _ in range(200):
            if left:
                break
            time.sleep(0.02)
        assert claims_of(store, "s")[0].ended == "hung"
    assert left == [1]


def test_a_damaged_claim_is_given_up(store):
    store.create("claims/s/0", b"{")
    assert claim_shard(store, "s") is not None
