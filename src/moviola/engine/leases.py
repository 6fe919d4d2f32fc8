"""Claim shards by leases: who holds one keeps telling so, and who falls silent loses it.

The claims of a shard are files `claims/SHARD/0`, `1`, and so on, each made where there was none, so
that exactly one worker gets each. A claim counts as given up once it has ended, its process is
known to be gone, or it has not been renewed for the time of the lease. Two workers that hold one
shard, as after a long sleep of the first, only do the same work twice: units are named by what
they are made of.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

from moviola.core.json_text import decode_json
from moviola.engine.run_store import RunStore

Ending = Literal["", "done", "released", "hung"]

#: Seconds without a sign of life after which a shard goes to another worker.
LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Claim:
    """Say who works, or worked, on a shard.

    Attributes:
        worker: a name that no other worker has.
        host: the machine.
        pid: the process on it.
        began: seconds since 1970.
        beat: when it last said that it is alive, seconds since 1970.
        videos: ids of those it has begun and not finished.
        done: how many it has finished.
        ended: how it ended; `""` while it goes on, or when it died.
    """

    worker: str
    host: str
    pid: int
    began: float
    beat: float
    videos: tuple[str, ...] = ()
    done: int = 0
    ended: Ending = ""

    @classmethod
    def begin(cls) -> Self:
        """Make the claim of this process."""
        now = time.time()
        return cls(uuid.uuid4().hex, socket.gethostname(), os.getpid(), now, now)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: when it is something else.
        """
        found = decode_json(data)
        return cls(**found | {"videos": tuple(found["videos"])})

    def to_json(self) -> bytes:
        """Write the claim as JSON."""
        return json.dumps(asdict(self)).encode()

    def is_held(self, lease: float) -> bool:
        """Test whether somebody still works under it."""
        if self.ended or time.time() - self.beat > lease:
            return False
        return self.host != socket.gethostname() or _is_alive(self.pid)

    @property
    def is_death(self) -> bool:
        """Test, of a claim that is not held, whether its worker died or hung."""
        return self.ended in ("", "hung")


@dataclass(slots=True)
class Lease:
    """Hold a shard: the claim of this process, which is renewed while it works.

    Attributes:
        name: the claim's file.
        claim: as it was written last.
        earlier: the claims on the shard before this one.
    """

    store: RunStore
    name: str
    claim: Claim
    earlier: Sequence[Claim] = ()

    def renew(self, videos: Sequence[str], done: int, ended: Ending = "") -> None:
        """Write what is being worked on, and that this process is alive.

        Raises:
            StorageError: when the store cannot be written.
        """
        self.claim = replace(
            self.claim, beat=time.time(), videos=tuple(videos), done=done, ended=ended
        )
        self.store.write(self.name, self.claim.to_json())

    def deaths(self, lease: float) -> Counter[str]:
        """Count for each video how many workers died or hung while they had it."""
        dead = (claim for claim in self.earlier if claim.is_death and not claim.is_held(lease))
        return Counter(video for claim in dead for video in claim.videos)


def claims_of(store: RunStore, shard: str) -> list[Claim]:
    """Read the claims on a shard, the oldest first; damaged ones count as deaths."""
    found: list[Claim] = []
    for name in sorted(store.names(f"claims/{shard}"), key=int):
        data = store.read(f"claims/{shard}/{name}")
        try:
            found.append(Claim.parse(data or b""))
        except (ValueError, KeyError, TypeError):
            found.append(Claim("", "", 0, 0.0, 0.0))
    return found


def claim_shard(
    store: RunStore, shard: str, lease: float = LEASE_SECONDS, *, is_forced: bool = False
) -> Lease | None:
    """Claim a shard; None where another worker has it, unless that is overruled.

    Raises:
        StorageError: when the store cannot be written.
    """
    earlier = claims_of(store, shard)
    if earlier and earlier[-1].is_held(lease) and not is_forced:
        return None
    claim = Claim.begin()
    name = f"claims/{shard}/{len(earlier)}"
    if not store.create(name, claim.to_json()):
        return None
    return Lease(store, name, claim, earlier)


def _is_alive(pid: int) -> bool:
    """Test whether a process of this machine is there; a zombie is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - no path of a run
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except (OSError, IndexError):
        return True
