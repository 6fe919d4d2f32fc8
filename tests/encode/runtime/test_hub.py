"""Checkpoints out of folders, caches and a hub that plays its part on the loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from moviola.core import WeightsUnavailableError
from moviola.encode.runtime.hub import INDEX, fetch, weight_files
from moviola.encode.runtime.loading import weights_digest

COMMIT, OTHER = "a" * 40, "b" * 40


class Hub(BaseHTTPRequestHandler):
    """The few answers of the hub's interface that fetching a model needs."""

    def __init__(self, files, *args, **kwargs):
        self.files = files
        super().__init__(*args, **kwargs)

    def log_message(self, *_):
        pass

    def _send(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.partition("?")[0]
        if "/resolve/" in path:
            name = path.rpartition("/")[2]
            body = self.files[name]
            self._send(200, body, X_Repo_Commit=COMMIT, ETag=f'"{name}-{len(body)}"')
        elif "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": len(body), "oid": "0" * 40}
                for name, body in self.files.items()
            ]
            self._send(200, json.dumps(tree).encode(), Content_Type="application/json")
        elif "/gone" in path:
            self._send(404, b"{}", X_Error_Code="RepoNotFound")
        elif "/closed" in path:
            self._send(403, b"{}", X_Error_Code="GatedRepo")
        elif path.startswith("/api/models/"):
            siblings = [{"rfilename": name} for name in self.files]
            answer = {"id": "some/model", "sha": COMMIT, "siblings": siblings}
            self._send(200, json.dumps(answer).encode(), Content_Type="application/json")
        else:
            self._send(404)

    do_HEAD = do_GET  # noqa: N815 - the name that the server calls


FETCH = """
import sys
from moviola.core import MoviolaError
from moviola.encode.runtime.hub import fetch
try:
    found = fetch(sys.argv[1], refresh="refresh" in sys.argv)
    print(found.model, found.revision, *sorted(p.name for p in found.folder.iterdir()))
except MoviolaError as error:
    print("refused:", error)
    sys.exit(int(error.exit_code))
"""


@pytest.fixture
def hub(tmp_path):
    """A function `(files)` that starts a hub and returns how to fetch from it."""
    servers = []

    def start(files):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, files))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fetched(model, cache, *words, code=FETCH, **environment):
    # The library reads its environment when it is imported.
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, model, *words],
        env={**os.environ, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


FILES = {
    "config.json": b"{}",
    "model.safetensors": b"tensors",
    "pytorch_model.bin": b"pickle",
    "README.md": b"words",
}


def test_a_model_is_fetched_once_and_then_needs_no_hub(hub, tmp_path):
    address = hub(FILES)
    first = fetched("some/model", tmp_path, HF_ENDPOINT=address)
    assert first.stdout.split() == ["some/model", COMMIT, "config.json", "model.safetensors"]
    assert not first.stderr  # no progress bars where stderr is no terminal
    for environment in ({"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}):
        assert fetched("some/model", tmp_path, **environment).stdout == first.stdout


def test_a_download_that_was_cut_short_is_not_taken_for_a_model(hub, tmp_path):
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    files = {
        "config.json": b"{}",
        "model.safetensors.index.json": json.dumps(index).encode(),
        "model-1-of-2.safetensors": b"1",
        "model-2-of-2.safetensors": b"2",
    }
    address = hub(files)
    assert fetched("some/model", tmp_path, HF_ENDPOINT=address).returncode == 0
    (lost,) = tmp_path.rglob("model-2-of-2.safetensors")
    lost.unlink()
    assert fetched("some/model", tmp_path, HF_HUB_OFFLINE="1").returncode == 7
    again = fetched("some/model", tmp_path, HF_ENDPOINT=address)
    assert "model-2-of-2.safetensors" in again.stdout


def test_only_the_shards_with_certain_tensors_are_fetched(hub, tmp_path):
    index = {
        "weight_map": {"see.a": "model-1-of-2.safetensors", "t5.b": "model-2-of-2.safetensors"}
    }
    files = {
        INDEX: json.dumps(index).encode(),
        "model-1-of-2.safetensors": b"1",
        "model-2-of-2.safetensors": b"a T5-XXL that nobody wants",
    }
    code = FETCH.replace("import fetch", "import fetch_tensors").replace(
        'fetch(sys.argv[1], refresh="refresh" in sys.argv)',
        "fetch_tensors(sys.argv[1], sys.argv[2:])",
    )
    address = hub(files)
    done = fetched("some/model", tmp_path, "see.", code=code, HF_ENDPOINT=address)
    assert done.stdout.split()[2:] == ["model-1-of-2.safetensors", INDEX]
    offline = fetched("some/model", tmp_path, "see.", code=code, HF_HUB_OFFLINE="1")
    assert offline.stdout == done.stdout
    none = fetched("some/model", tmp_path, "hear.", code=code, HF_ENDPOINT=address)
    assert (none.returncode, "holds no tensor hear." in none.stdout) == (7, True)


def test_pickles_are_refused_with_the_reason(hub, tmp_path):
    address = hub({"config.json": b"{}", "pytorch_model.bin": b"pickle"})
    done = fetched("some/model", tmp_path, HF_ENDPOINT=address)
    assert done.returncode == 7
    assert "only as pytorch_model.bin" in done.stdout
    assert "can run code" in done.stdout
    assert not list(tmp_path.rglob("pytorch_model.bin"))


@pytest.mark.parametrize(
    ("model", "words"), [("some/gone", "knows no model"), ("some/closed", "accept its licence")]
)
def test_models_that_are_not_there_or_not_for_all_are_told(hub, tmp_path, model, words):
    done = fetched(model, tmp_path, HF_ENDPOINT=hub(FILES))
    assert done.returncode == 7
    assert words in done.stdout


def test_a_hub_that_never_answers_costs_less_than_15_seconds(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        done = fetched("some/model", tmp_path, HF_ENDPOINT=address)
        assert time.monotonic() - began < 15
    assert done.returncode == 7
    for word in ("some/model", str(tmp_path), "moviola models pull", "HF_HOME", "FAMILY:FOLDER"):
        assert word in done.stdout


def test_no_network_and_nothing_cached_says_the_ways_out(tmp_path):
    done = fetched("some/model", tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 7
    assert "are not in the cache" in done.stdout


def test_a_folder_is_a_model_of_its_own(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(WeightsUnavailableError, match="holds no weights"):
        fetch(str(folder))
    (folder / "weights.bin").write_bytes(b"pickle")
    with pytest.raises(WeightsUnavailableError, match=r"only as weights\.bin.*run code"):
        fetch(str(folder))
    (folder / "model.safetensors").write_bytes(b"tensors")
    found = fetch(str(folder))
    assert (found.model, found.revision, found.folder) == ("mine", "local", folder)
    assert fetch(str(folder), ("config.json",)).folder == folder
    with pytest.raises(WeightsUnavailableError, match=r"holds no file other\.json"):
        fetch(str(folder), ("other.json",))
    for wrong in (str(tmp_path / "absent"), "./absent", "~/absent", "", "a b", "-x"):
        with pytest.raises(WeightsUnavailableError, match="neither a folder that is there nor"):
            fetch(wrong)


def test_the_digest_follows_every_byte_and_the_names(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"x" * 100)
    first = weights_digest([path])
    path.write_bytes(b"x" * 99 + b"y")
    assert weights_digest([path]) != first
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"x" * 100)
    assert weights_digest([other]) != first
    path.write_bytes(b"x" * 100)
    assert weights_digest([path]) == first
    assert weights_digest([path, other]) == weights_digest([other, path])


def test_all_shards_are_weight_files(tmp_path):
    index = {"weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1.safetensors").write_bytes(b"1")
    with pytest.raises(WeightsUnavailableError, match="lacks model-2"):
        weight_files(tmp_path)
    (tmp_path / "model-2.safetensors").write_bytes(b"2")
    names = [path.name for path in weight_files(tmp_path)]
    assert names == ["model-1.safetensors", "model-2.safetensors"]


def test_g06_a_cache_that_cannot_be_written_is_told(hub, tmp_path):
    (tmp_path / "file").touch()
    done = fetched("some/model", tmp_path / "file" / "cache", HF_ENDPOINT=hub(FILES))
    assert done.returncode in (7, 8), done.stderr
    assert done.stdout.startswith("refused: ")
    assert "cache" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_g07_a_cache_without_room_is_told_and_gone_on_with(hub, tmp_path):
    files = FILES | {"model.safetensors": bytes(200_000)}
    small = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))\n" + FETCH
    address = hub(files)
    done = fetched("some/model", tmp_path, code=small, HF_ENDPOINT=address)
    assert done.returncode == 8, done.stderr
    assert done.stdout.startswith("refused: cannot write some/model into the cache ")
    again = fetched("some/model", tmp_path, HF_ENDPOINT=address)
    assert again.returncode == 0, again.stderr
    assert again.stdout.split() == ["some/model", COMMIT, "config.json", "model.safetensors"]


def test_g08_two_processes_fetch_one_model_at_once(hub, tmp_path):
    address = hub(FILES | {"model.safetensors": bytes(3_000_000)})
    with ThreadPoolExecutor(2) as both:
        ran = [both.submit(fetched, "some/model", tmp_path, HF_ENDPOINT=address) for _ in range(2)]
        for done in ran:
            assert done.result().returncode == 0, done.result().stderr
            assert "model.safetensors" in done.result().stdout
    (whole,) = tmp_path.rglob("model.safetensors")
    assert whole.stat().st_size == 3_000_000
