"""Workers die in every way there is; the pool and the other videos do not notice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from types import ModuleType

import psutil
import pytest

from moviola.core import FileCode, UniformSampler, VideoUnreadableError
from moviola.video import ClipRead, DecodePool, Limits, ReadRequest, WholeSegmenter, WindowSegmenter
from moviola.video.worker.process import WorkerStartError, worker_command

# A worker whose decoder does what the name of the file says.
STUB = """
import os, signal, sys, time
sys.path[:] = sys.argv[1:]
from moviola.video.worker import confinement, ipc, program, serving

honest = serving.Worker.serve
program.confine = lambda: []  # some of these deaths leave a mark beside the file

def serve(self, task):
    name = task.path.name
    out = self._replies
    if name.startswith("segv"):
        os.kill(os.getpid(), signal.SIGSEGV)
    elif name.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    elif name.startswith("exit"):
        os._exit(0)
    elif name.startswith("hang"):
        time.sleep(1000)
    elif name.startswith("garbage"):
        out.write(bytes(range(256)) * 100)
        time.sleep(1000)
    elif name.startswith("lie"):
        ipc.send(out, {"kind": "frame", "number": 1, "shape": [9, 9, 3]})
        time.sleep(1000)
    elif name.startswith("name"):
        ipc.send(out, {"kind": "clip", "index": 0, "start": 0, "end": 1, "pictures": [7],
                        "oldest": 1, "times": [0.0]})
        time.sleep(1000)
    elif name.startswith("flood"):
        out.write(ipc._HEAD.pack(b"mvl1", 10, 1 << 60))
        time.sleep(1000)
    elif name.startswith("half"):
        out.write(ipc._HEAD.pack(b"mvl1", 1000, 0) + b"{")
        time.sleep(1000)
    elif name.startswith("odd"):
        ipc.send(out, {"kind": "done", "code": "splendid", "message": ""})
        time.sleep(1000)
    elif name.startswith("spin"):
        confinement.resource.setrlimit(confinement.resource.RLIMIT_CPU, (1, 2))
        while True:
            pass
    elif name.startswith("once"):
        mark = task.path.with_suffix(".mark")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGSEGV)
        honest(self, task)
    elif name.startswith("full"):
        self.is_full = True
        honest(self, task)
    elif getattr(self, "is_full", False):
        ipc.send(out, {"kind": "done", "code": "out_of_memory", "message": "no memory is left"})
    elif name.startswith("midway"):
        mark = task.path.with_suffix(".mark")
        send = ipc.send
        def fragile(stream, head, parts=()):
            if head.get("index") == 2 and not mark.exists():
                mark.touch()
                os._exit(1)
            send(stream, head, parts)
        ipc.send = fragile
        honest(self, task)
    else:
        honest(self, task)

serving.Worker.serve = serve
program.main()
"""

DEATHS = {
    "segv": FileCode.DECODER_CRASH,
    "kill": FileCode.OUT_OF_MEMORY,
    "exit": FileCode.DECODER_CRASH,
    "garbage": FileCode.DECODER_CRASH,
    "lie": FileCode.DECODER_CRASH,
    "name": FileCode.DECODER_CRASH,
    "flood": FileCode.DECODER_CRASH,
    "odd": FileCode.DECODER_CRASH,
    "hang": FileCode.TIMEOUT,
    "half": FileCode.TIMEOUT,
    "spin": FileCode.TIMEOUT,
}

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def stubs(workers: int, limits: Limits | None = None) -> DecodePool:
    pool = DecodePool(workers, limits)
    pool._command = [sys.executable, "-c", STUB, *worker_command()[4:]]
    return pool


def requests(paths, segmenter=None):
    for path in paths:
        yield ReadRequest(path.name, path, segmenter or WholeSegmenter(), UniformSampler(2))


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@posix
def test_every_death_costs_only_its_file(studio, tmp_path):
    good = studio.film(tmp_path / "good.mp4", 10)
    names = [*DEATHS, "once"]
    for name in names:
        (tmp_path / f"{name}.mp4").write_bytes(good.read_bytes())
    before = children()
    paths = []
    for number, name in enumerate(names):
        copy = tmp_path / f"fine{number}.mp4"
        copy.write_bytes(good.read_bytes())
        paths += [tmp_path / f"{name}.mp4", copy]
    with stubs(2, Limits(open_seconds=5)) as pool:
        answers = list(pool.read(requests(paths)))
    clips = [answer.key for answer in answers if isinstance(answer, ClipRead)]
    codes = {answer.key: answer.code for answer in answers if not isinstance(answer, ClipRead)}
    expected = {f"{name}.mp4": code for name, code in DEATHS.items()} | {"once.mp4": FileCode.OK}
    expected |= {f"fine{number}.mp4": FileCode.OK for number in range(len(names))}
    assert codes == expected
    assert sorted(clips) == sorted(key for key, code in expected.items() if code is FileCode.OK)
    assert children() == before


@posix
def test_v84_memory_that_an_earlier_file_filled_is_no_fault_of_the_next(studio, tmp_path):
    good = studio.film(tmp_path / "good.mp4", 10)
    paths = [tmp_path / name for name in ("full.mp4", "next.mp4", "another.mp4")]
    for path in paths:
        path.write_bytes(good.read_bytes())
    with stubs(1) as pool:
        codes = [
            answer.code for answer in pool.read(requests(paths)) if not isinstance(answer, ClipRead)
        ]
    assert codes == [FileCode.OK] * 3


@posix
def test_clips_delivered_before_a_death_are_not_repeated(studio, tmp_path):
    path = studio.film(tmp_path / "midway.mp4", 100)
    with stubs(1) as pool:
        *clips, done = pool.read(requests([path], WindowSegmenter(1, 0.5)))
    assert [clip.index for clip in clips] == list(range(7))
    assert done.code is FileCode.OK
    assert done.clips == 7


def test_workers_that_do_not_start_are_no_fault_of_a_file(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 5)
    with DecodePool(1) as pool:
        pool._command = [sys.executable, "-c", "raise SystemExit(3)"]
        with pytest.raises(WorkerStartError, match="status 3"):
            list(pool.read(requests([path])))


def test_a_slow_consumer_holds_the_workers_back(studio, tmp_path, pool):
    path = studio.film(tmp_path / "v.mp4", 200, size=(640, 384), options={"preset": "ultrafast"})
    taken = 0

    def many():
        nonlocal taken
        for request in requests([path] * 10, WindowSegmenter(0.5, 0.25)):
            taken += 1
            yield request

    reading = pool.read(many())
    next(reading)
    time.sleep(1.0)
    # Two workers, two requests: the rest is not even looked at.
    assert taken == 2
    session = next(thread for thread in threading.enumerate() if thread.name == "moviola-read")
    assert session.is_alive()
    reading.close()


def test_leaving_a_reading_frees_its_threads_and_workers(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 200)
    before = children()
    with DecodePool(2) as pool:
        reading = pool.read(requests([path] * 4, WindowSegmenter(0.5, 0.25)))
        next(reading)
        reading.close()
        *_, done = pool.read(requests([path]))  # the pool is still good
        assert done.code is FileCode.OK
    assert children() == before
    deadline = time.monotonic() + 20
    while any(thread.name.startswith("moviola") for thread in threading.enumerate()):
        # The shared pool of the other tests keeps its watch.
        if sum(thread.name == "moviola-read" for thread in threading.enumerate()) == 0:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_closed_pool_says_so(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 5)
    pool = DecodePool(1)
    pool.close()
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        pool.probe(path)
    with pytest.raises(RuntimeError, match="closed"):
        list(pool.read(requests([path])))


def test_pools_need_a_worker():
    with pytest.raises(ValueError, match="at least one"):
        DecodePool(0)


class Homeless:
    """A sampler that no worker can import."""

    spec = "homeless"

    def times(self, span):
        return span


def test_a_sampler_that_cannot_travel_is_the_callers_mistake(studio, tmp_path, pool, monkeypatch):
    script = ModuleType("a_script_of_the_caller")
    script.Homeless = Homeless
    monkeypatch.setitem(sys.modules, script.__name__, script)
    monkeypatch.setattr(Homeless, "__module__", script.__name__)
    path = studio.film(tmp_path / "v.mp4", 5)
    with pytest.raises((TypeError, AttributeError)):
        list(pool.read([ReadRequest(1, path, WholeSegmenter(), lambda span: span)]))
    with pytest.raises(TypeError, match="can be imported"):
        list(pool.read([ReadRequest(1, path, WholeSegmenter(), Homeless())]))
    assert pool.probe(path).frames == 5


def test_a_failing_iterable_of_requests_fails_the_reading(pool):
    def broken():
        yield from ()
        raise OSError("the list of files broke off")

    with pytest.raises(OSError, match="broke off"):
        list(pool.read(broken()))


@posix
def test_a_worker_has_little_memory(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 4, size=(1280, 720), options={"preset": "ultrafast"})
    with (
        DecodePool(1, Limits(memory_bytes=64 << 20)) as pool,
        pytest.raises(VideoUnreadableError) as caught,
    ):
        pool.read_frames_at(path, [0.0, 0.1])
    assert caught.value.code in (FileCode.OUT_OF_MEMORY, FileCode.DECODER_CRASH)


@posix
@pytest.mark.usefixtures("interruptible")
def test_interrupting_a_script_without_a_guard_leaves_nothing_behind(studio, tmp_path):
    # No `if __name__ == "__main__"`: workers do not import the script again.
    path = studio.film(tmp_path / "v.mp4", 400)
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys, time
        sys.path[:] = {sys.path!r}
        from pathlib import Path
        from moviola.core import UniformSampler
        from moviola.video import DecodePool, ReadRequest, WindowSegmenter
        path = Path({str(path)!r})
        with DecodePool(2) as pool:
            short = WindowSegmenter(0.5, 0.1)
            for _ in pool.read(
                ReadRequest(n, path, short, UniformSampler(4)) for n in range(999)
            ):
                print("clip", flush=True)
                time.sleep(0.01)
        """)
    )
    script_process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with script_process as process:
        assert process.stdout.readline() == "clip\n"
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=60)
    assert errors.count("Traceback") == 1, errors
    assert "KeyboardInterrupt" in errors
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


@posix
def test_workers_end_with_a_parent_that_was_killed(studio, tmp_path):
    path = studio.film(tmp_path / "v.mp4", 20)
    code = f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(f"""
        import time
        from pathlib import Path
        from moviola.video import DecodePool
        pool = DecodePool(1)
        pool.probe(Path({str(path)!r}))
        print("ready", flush=True)
        time.sleep(1000)
    """)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        workers = psutil.Process(process.pid).children()
        process.kill()
    assert len(workers) == 1
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_a_worker_is_light():
    code = (
        "import moviola.video.worker.program, sys;"
        "print([name for name in ('torch', 'cv2', 'scenedetect', 'multiprocessing', 'pyarrow')"
        " if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_two_readings_at_once(studio, tmp_path, pool):
    path = studio.film(tmp_path / "v.mp4", 20)
    first, second = pool.read(requests([path])), pool.read(requests([path]))
    with contextlib.closing(first), contextlib.closing(second):
        assert isinstance(next(first), ClipRead)
        assert isinstance(next(second), ClipRead)
        assert next(first).code is next(second).code is FileCode.OK
