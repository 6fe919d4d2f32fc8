"""Tiny random checkpoints of the real architectures, with tokenizers that are real too."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.checkpoints import WORDS, save_videoprism
from fixtures.perception import PE_VISION, save_pe_av, save_pe_core
from moviola.core import Frames, FrameSampler, Span, Waveform


@pytest.fixture(scope="session", autouse=True)
def _single_precision() -> Iterator[None]:
    """Everywhere the same numbers: elsewhere a tower may run in bfloat16."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moviola.encode.runtime.precision.device_precision", lambda _: "float32")
        patch.setattr(torch.backends.cudnn, "allow_tf32", False)
        yield


@pytest.fixture(scope="session")
def words() -> list[str]:
    return WORDS


@pytest.fixture(scope="session")
def make_clips() -> Callable[..., list[Frames]]:
    """Clips of noise, each of another size, as decoders give them."""

    def make(
        sampler: FrameSampler, *, count: int = 3, seconds: float = 2.0, rate: int | None = None
    ) -> list[Frames]:
        rng = np.random.default_rng(7)
        clips = []
        for number in range(count):
            span = Span(float(number), number + seconds)
            times = sampler.times(span)
            shape = (len(times), 40 + 9 * number, 60 - 7 * number, 3)
            pixels = rng.integers(0, 256, shape, np.uint8)
            sound = None
            if rate is not None:
                samples = rng.uniform(-0.5, 0.5, (1, round(seconds * rate))).astype(np.float32)
                sound = Waveform(samples, rate, span.start)
            clips.append(Frames(pixels, times, sound))
        return clips

    return make


@pytest.fixture(scope="session")
def write_json() -> Callable[[Path, object], None]:
    def write(path: Path, content: object) -> None:
        path.write_text(json.dumps(content), encoding="utf-8")

    return write


@pytest.fixture(scope="session")
def videoprism_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VideoPrism video-text model of two layers each and four frames of 36x36."""
    folder = tmp_path_factory.mktemp("videoprism")
    save_videoprism(folder)
    return folder


@pytest.fixture(scope="session")
def pe_timm_config() -> dict[str, object]:
    """How checkpoints describe the vision tower: in the words of transformers' wrapper of timm."""
    return PE_VISION


@pytest.fixture(scope="session")
def pe_av_folder(tmp_path_factory) -> Path:
    """A PE-AV model of two layers each, four frames of 28x28 and sound of 800 Hz."""
    folder = tmp_path_factory.mktemp("pe-av")
    save_pe_av(folder)
    return folder


@pytest.fixture(scope="session")
def pe_video_folder(tmp_path_factory) -> Path:
    """The same without sound."""
    folder = tmp_path_factory.mktemp("pe-video")
    save_pe_av(folder, sound=False)
    return folder


VIDEO_MODULE = Path(__file__).parent / "video_module.py"


@pytest.fixture(scope="session")
def video_module():
    """The module `video_module.py` of this folder."""
    pytest.importorskip("sentence_transformers")
    spec = importlib.util.spec_from_file_location("video_module", VIDEO_MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pe_core_folder(tmp_path_factory) -> Path:
    """A PE-Core model of two layers a tower, in OpenCLIP's layout."""
    folder = tmp_path_factory.mktemp("pe-core")
    save_pe_core(folder)
    return folder
