"""Video-LLaMA in batches against the original's way, side by side, as ratios.

The original reads one video at a time: on a GPU under float16 autocast, the language model in
bfloat16, and for several layers with all their hidden states kept. Weights are random, which
changes no time. On a GPU the sizes are those of the 7B model; elsewhere they are reduced.

Run: python benchmarks/videollama.py [videos] [videos at a time]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import Tensor

from moviola.encode.decoder.inputs import Kind, Piece, row_of_ids
from moviola.encode.decoder.packing import read_rows
from moviola.encode.decoder.readouts import DecoderReadout
from moviola.encode.runtime.precision import best_device
from moviola.encode.video_llama.config import (
    LLAMA_7B,
    QFormerConfig,
    VideoLlamaConfig,
    VisionConfig,
)
from moviola.encode.video_llama.model import VideoLlama

REDUCED = VideoLlamaConfig(
    llama={
        "vocab_size": 2000,
        "hidden_size": 1024,
        "intermediate_size": 2752,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
    },
    vision=VisionConfig(224, 14, 384, 1536, 4, 6),
    image_qformer=QFormerConfig(32, 4, 2, 384, 256, 4, 1024),
    video_qformer=QFormerConfig(32, 2, 1, 256, 256, 4, 1024),
    audio=None,
)
#: Tokens before and after the video, as the reference report's prompt has with a LLaMA tokenizer.
SEGMENTS = (tuple(range(1, 11)), tuple(range(11, 71)))
ROUNDS = 5


@dataclass
class Way:
    """One way of doing it, and what it took."""

    name: str
    run: Callable[[Tensor], object]
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peak: float = 0.0

    def time(self, videos: Tensor) -> None:
        """Run once and note the seconds."""
        cuda = videos.device.type == "cuda"
        if cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        began, worked = time.perf_counter(), time.process_time()
        self.run(videos)
        if cuda:
            torch.cuda.synchronize()
            self.peak = torch.cuda.max_memory_allocated() / 2**30
        self.seconds.append(time.perf_counter() - began)
        self.processor.append(time.process_time() - worked)


class Benchmark:
    """The same random model, read in both ways."""

    def __init__(self, at_a_time: int) -> None:
        self.at_a_time = at_a_time
        self.device = best_device()
        on_gpu = self.device.type == "cuda"
        config = VideoLlamaConfig(llama=LLAMA_7B, audio=None) if on_gpu else REDUCED
        torch.manual_seed(0)
        with torch.device(self.device):
            self.model = VideoLlama.random(config, ("visual", "llama"))
        assert self.model.visual is not None
        assert self.model.llama is not None
        self.visual, self.llama = self.model.visual, self.model.llama
        # transformers draws the vision transformer's at a scale that float16 rounds to zero.
        with torch.no_grad():
            for value in self.visual.parameters():
                if value.ndim > 1:
                    value.normal_(std=0.02)
        self.config = config
        if on_gpu:
            half = torch.bfloat16
            torch.nn.Module.to(self.llama, half)
            self.visual.vit.embeddings.to(half)
            self.visual.vit.encoder.to(half)
        self.dtype = self.llama.lm_head.weight.dtype
        self.readouts = [
            DecoderReadout(layer=layer)
            for layer in range(int(config.llama["num_hidden_layers"]) + 1)
        ]

    def before_together(self, videos: Tensor) -> list[Tensor]:
        """Vectors before the LLaMA, in batches."""
        return [self.visual(part).cpu() for part in videos.split(self.at_a_time)]

    def before_alone(self, videos: Tensor) -> list[Tensor]:
        """Vectors before the LLaMA, as the original."""
        return [self._see(video).cpu() for video in videos.split(1)]

    def after_together(self, videos: Tensor) -> object:
        """The mean of the video's positions at every layer, in batches."""
        seen = [own for part in videos.split(self.at_a_time) for own in self.visual(part)]
        rows = [self._row(own) for own in seen]
        return read_rows(self.llama.model, self.model.inputs, rows, self.readouts)

    def after_alone(self, videos: Tensor) -> list[Tensor]:
        """The same as the original would: every hidden state of one video, then their means."""
        found: list[Tensor] = []
        for video in videos.split(1):
            inputs = self.model.inputs([self._row(self._see(video)[0])])
            read = self.llama.model(inputs_embeds=inputs.embeds, output_hidden_states=True)
            content = inputs.kinds[0] == Kind.VIDEO
            states: Sequence[Tensor] = read.hidden_states
            found.append(torch.stack([s[0][content].float().mean(0) for s in states]).cpu())
        return found

    def _see(self, video: Tensor) -> Tensor:
        on_gpu = self.device.type == "cuda"
        with torch.autocast("cuda", torch.float16) if on_gpu else nullcontext():
            return self.visual(video)

    @staticmethod
    def _row(vectors: Tensor) -> list[Piece]:
        return row_of_ids(SEGMENTS, [Piece(Kind.VIDEO, vectors)])


@torch.inference_mode()
def main() -> None:
    """Print videos a second, peaks and ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    bench = Benchmark(int(sys.argv[2]) if len(sys.argv) > 2 else 8)
    side, frames = bench.config.vision.image_size, bench.config.frames
    videos = torch.randn(count, 3, frames, side, side, device=bench.device)
    weights = sum(p.numel() for p in bench.model.parameters())
    print(f"{bench.device}, {weights / 1e6:.0f} M weights, {count} videos of {frames} frames")
    for what, alone, together in (
        ("before the LLaMA", bench.before_alone, bench.before_together),
        (f"all {len(bench.readouts)} states", bench.after_alone, bench.after_together),
    ):
        ways = Way("one at a time", alone), Way(f"{bench.at_a_time} at a time", together)
        for way in ways:
            way.run(videos[: bench.at_a_time])  # the first call pays for setting up
        for _ in range(ROUNDS):
            for way in ways:
                way.time(videos)
        for way in ways:
            peak = f", peak {way.peak:.2f} GiB" if way.peak else ""
            print(f"{what}, {way.name}: {count / median(way.seconds):.2f} videos/s{peak}")
        one, many = ways
        print(
            f"{what}: {median(one.seconds) / median(many.seconds):.2f} times as fast, "
            f"{median(one.processor) / median(many.processor):.2f} times less processor time"
        )


if __name__ == "__main__":
    main()
