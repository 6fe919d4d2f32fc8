"""X-CLIP base-patch32 over videos: this library against the naive loop, as ratios, in one run.

The naive loop decodes every frame in order, prepares eight of them with transformers' processor,
and runs the model in float32 on one video at a time. Weights are random, which costs the same.

Run: python benchmarks/encode.py [videos] [rounds]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import transformers
from recording import processor_seconds, record

from moviola.core import Frames, Space
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.xclip.encoder import XClipEncoder
from moviola.pipeline.encode.streaming import encode_stream
from moviola.video import DecodePool, ReadRequest, WholeSegmenter

PROCESSOR = {
    "size": {"shortest_edge": 224},
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "resample": 2,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
SIZES = ((320, 240, 25), (1280, 720, 30))


def film(
    path: Path, shift: int, *, size: tuple[int, int] = (320, 240), rate: int = 25, seconds: int = 20
) -> None:
    """Write a moving texture in H.264 with B-frames, cut to another place every 4 seconds."""
    width, height = size
    noise = np.random.default_rng(shift).integers(0, 256, (30, 40), dtype=np.uint8)
    step = width // 40
    texture = np.kron(np.tile(noise, (1, 2)), np.ones((step, step), np.uint8))[:height]
    texture = np.pad(texture, ((0, height - len(texture)), (0, 0)), "wrap")
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * rate):
            at = ((2 + shift) * number + 97 * (number // (4 * rate))) % width
            grey = np.ascontiguousarray(texture[:, at : at + width])
            output.mux(
                stream.encode(av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p"))
            )
        output.mux(stream.encode())


@torch.inference_mode()
def naive(model: Any, processor: Any, paths: list[Path]) -> np.ndarray:
    """Encode the way that tutorials show, to vectors `(N, 512)`."""
    rows = []
    for path in paths:
        with av.open(str(path)) as container:
            frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        at = ((np.arange(8) + 0.5) / 8 * len(frames)).astype(int)
        pixels = processor(images=[frames[i] for i in at], return_tensors="pt")["pixel_values"]
        pixels = pixels.reshape(1, 8, 3, 224, 224).to(model.device)
        row = model.get_video_features(pixels).pooler_output
        rows.append(torch.nn.functional.normalize(row, dim=-1).cpu().numpy())
    return np.concatenate(rows)


def ours(encoder: Any, pool: DecodePool, paths: list[Path]) -> np.ndarray:
    """Encode through the pipeline that `moviola encode` and `index` use."""
    requests = [ReadRequest(i, p, WholeSegmenter(), encoder.sampler) for i, p in enumerate(paths)]
    rows = {video.done.key: video.rows[0] for video in encode_stream(pool, requests, encoder)}
    return np.concatenate([rows[i] for i in range(len(paths))])


class NoModel:
    """Decoding alone: an encoder that looks at nothing."""

    def __init__(self, encoder: XClipEncoder) -> None:
        self.sampler, self.shrink = encoder.sampler, encoder.shrink

    def encode_videos(self, clips: list[Frames]) -> list[np.ndarray]:
        """Give a row for every clip at once."""
        return [np.zeros((1, 1), np.float32) for _ in clips]


def timed(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Measure seconds by the clock, seconds of processors (workers' too), and give the result."""
    began, spent = time.perf_counter(), processor_seconds()
    result = function()
    return time.perf_counter() - began, processor_seconds() - spent, result


def encoders() -> tuple[Any, Any, XClipEncoder]:
    """Make the naive model and its processor, and our encoder of the same weights."""
    torch.manual_seed(0)
    model = transformers.XCLIPModel(transformers.XCLIPConfig()).eval()
    twin = transformers.XCLIPModel(transformers.XCLIPConfig()).eval()
    twin.load_state_dict(model.state_dict())
    space = Space("benchmark", "1", "random", 512)
    encoder = XClipEncoder(twin, None, Preprocessing.from_config(PROCESSOR), space)
    model.to(encoder._video.device)  # noqa: SLF001 - both on the same
    encoder.precision("clips")  # settled beforehand
    return model, transformers.VideoMAEImageProcessorPil(**PROCESSOR), encoder


Timed = tuple[float, float, Any]


def compared(
    paths: list[Path], pool: DecodePool, made: tuple[Any, Any, XClipEncoder], rounds: int
) -> list[tuple[Timed, Timed, Timed]]:
    """Measure the naive loop, ours, and our decoding alone, one after the other, some rounds."""
    model, processor, encoder = made
    ours(NoModel(encoder), pool, paths)  # starts the workers
    return [
        (
            timed(lambda: naive(model, processor, paths)),
            timed(lambda: ours(encoder, pool, paths)),
            timed(lambda: ours(NoModel(encoder), pool, paths)),
        )
        for _ in range(rounds)
    ]


def main() -> None:
    """Print and keep the ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    made = encoders()
    figures = []
    with tempfile.TemporaryDirectory() as folder, DecodePool() as pool:
        for width, height, rate in SIZES:
            paths = [Path(folder) / f"{height}-{number}.mp4" for number in range(count)]
            for number, path in enumerate(paths):
                film(path, number, size=(width, height), rate=rate)
            runs = compared(paths, pool, made, rounds)
            cosine = (runs[0][0][2] * runs[0][1][2]).sum(1).min()
            slow, fast, decoding = (
                statistics.median(run[side][1] / count for run in runs) for side in range(3)
            )
            spent, wall = (
                statistics.median(run[0][unit] / run[1][unit] for run in runs) for unit in (1, 0)
            )
            figures.append(
                {
                    "clips": f"{width} x {height}, 20 s",
                    "naive loop, CPU s a clip": f"{slow:.3f}",
                    "moviola, CPU s a clip": f"{fast:.3f}",
                    "of which decoding": f"{decoding:.3f}",
                    "ratio of CPU s": f"{spent:.2f}",
                    "ratio by the clock": f"{wall:.2f}",
                    "lowest cosine": f"{cosine:.5f}",
                }
            )
    record(
        "encode",
        "Encoding against the naive loop",
        figures,
        f"X-CLIP base-patch32, random weights, {count} clips, medians of {rounds} rounds; the "
        f"naive loop in float32, moviola in {made[2].precision('clips')}.",
    )


if __name__ == "__main__":
    main()
