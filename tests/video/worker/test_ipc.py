from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moviola.video.worker import ipc
from moviola.video.worker.replies import Done, parse


def sent(head, parts=()) -> bytes:
    stream = io.BytesIO()
    ipc.send(stream, head, parts)
    return stream.getvalue()


def test_messages_round_trip():
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    data = sent({"kind": "x", "n": 0.1}, [picture, picture[::-1]])
    message = ipc.receive(io.BytesIO(data), most=100)
    assert message.head == {"kind": "x", "n": 0.1}
    assert message.body.tolist() == [*picture.ravel(), *picture[::-1].ravel()]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_message(data):
    with pytest.raises((ipc.GarbageError, ipc.ClosedError)):
        ipc.receive(io.BytesIO(data), most=1000)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
KINDS = ["clip", "frames", "sound", "phase", "done", "refused", "other"]
FIELDS = [
    "index",
    "start",
    "end",
    "shape",
    "times",
    "rate",
    "sound",
    "heard_from",
    "seconds",
    "info",
    "code",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from([*FIELDS, "message"]), json),
    st.sampled_from(KINDS),
    st.binary(max_size=64),
)
def test_heads_that_do_not_add_up(fields, kind, body):
    message = ipc.Message({**fields, "kind": kind}, np.frombuffer(body, np.uint8))
    try:
        answer = parse(message)
    except ipc.GarbageError:
        return
    assert answer is not None


def test_an_end_is_understood():
    message = ipc.receive(io.BytesIO(sent({"kind": "done", "code": "ok", "message": ""})), most=0)
    assert parse(message) == Done("ok", "")


@pytest.mark.parametrize("data", [b"[1]", b"nonsense", b"[" * 100_000])
def test_heads_that_are_no_objects(data):
    framed = ipc._HEAD.pack(b"mvl1", len(data), 0) + data
    with pytest.raises(ipc.GarbageError):
        ipc.receive(io.BytesIO(framed), most=0)
