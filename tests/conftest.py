"""Where the shared test data lie, and what is skipped, visibly, where they do not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import settings

# Machines under load take their time; a slow example is not a wrong one.
settings.register_profile("moviola", deadline=None)
settings.load_profile("moviola")

pytest_plugins = ("fixtures.checkpoints", "fixtures.results", "fixtures.shelf")

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
#: The shared test data: where the variable says, else beside the checkout.
SHARED = Path(os.environ.get("MOVIOLA_SHARED", _BESIDE))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED.is_dir():
        return
    absent = pytest.mark.skip(reason="the shared test data are not beside this checkout")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared test data; tests that ask for it carry the marker `shared`."""
    return SHARED


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes of the test obey SIGINT and SIGTERM, even where whoever started pytest had them
    ignored, as a shell does for what it puts into the background: children inherit that."""
    ignored = [
        number
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def write_colours(
    path: Path, *colours: tuple[int, int, int], seconds: float = 1.0, rate: int = 10
) -> Path:
    """Write a small H.264 file that shows one colour after another, `seconds` each."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for colour in colours:
            pixels = np.empty((48, 64, 3), np.uint8)
            pixels[:] = colour
            for _ in range(round(seconds * rate)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def colour_video() -> Callable[..., Path]:
    """`write_colours`, for tests that make their videos themselves."""
    return write_colours
