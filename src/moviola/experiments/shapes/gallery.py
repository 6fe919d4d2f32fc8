"""Embed a generated world window by window, and score texts against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.encode.shapes.words import split_clauses
from moviola.pipeline.encode.streaming import encode_stream
from moviola.synthetic.shapes import Claim, Shot, Video, generate
from moviola.synthetic.shapes.facts import Codes, code_facts, truth_matrix
from moviola.video import DecodePool, ReadRequest, WindowSegmenter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.encode.shapes.encoder import ShapesEncoder

LENGTH = 2.0
STEP = 0.5
NEVER = -np.inf


@dataclass(frozen=True)
class Gallery:
    """Hold videos and their windows, in time order within each video.

    Attributes:
        videos: N videos.
        owner: `(W,)` the number of each window's video, ascending.
        spans: `(W, 2)` seconds.
        vectors: `(W, D)` unit vectors.
    """

    videos: tuple[Video, ...]
    owner: NDArray[np.int64]
    spans: NDArray[np.float64]
    vectors: NDArray[np.float32]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Return the number of each video's first window, `(N,)`."""
        return np.searchsorted(self.owner, np.arange(len(self.videos)))

    @property
    def shots(self) -> list[tuple[Shot, ...]]:
        """Return the shots of each video."""
        return [tuple(take.shot for take in video.takes) for video in self.videos]

    def part(self, keep: Sequence[int], *, every: int = 1) -> Gallery:
        """Keep some of the videos, and every n-th of their windows."""
        new = np.full(len(self.videos), -1)
        new[list(keep)] = np.arange(len(keep))
        number = np.arange(len(self.owner)) - self.starts[self.owner]
        rows = np.flatnonzero((new[self.owner] >= 0) & (number % every == 0))
        rows = rows[np.argsort(new[self.owner[rows]], kind="stable")]
        return Gallery(
            tuple(self.videos[i] for i in keep),
            new[self.owner[rows]],
            self.spans[rows],
            self.vectors[rows],
        )

    def shot_windows(self) -> tuple[NDArray[np.int64], list[Shot]]:
        """Find for each shot the window nearest to its middle, with its facts."""
        rows: list[int] = []
        shots: list[Shot] = []
        starts = [*self.starts, len(self.owner)]
        for i, video in enumerate(self.videos):
            spans = self.spans[starts[i] : starts[i + 1]]
            for take, (start, end) in zip(video.takes, video.spans, strict=True):
                inside = (spans[:, 0] >= start - 0.05) & (spans[:, 1] <= end + 0.05)
                if inside.any():
                    away = np.abs(spans.mean(1) - (start + end) / 2) + np.where(inside, 0, 1e3)
                    rows.append(int(starts[i] + away.argmin()))
                    shots.append(take.shot)
        return np.array(rows), shots

    @cached_property
    def coded(self) -> Codes:
        """Code the facts of all shots, video by video, `(S, WIDTH)`."""
        return code_facts([shot for shots in self.shots for shot in shots])

    @cached_property
    def shot_of_window(self) -> NDArray[np.int64]:
        """Return the number of the shot around each window's middle, `(W,)`."""
        first = np.concatenate([[0], np.cumsum([len(shots) for shots in self.shots])])
        starts = [*self.starts, len(self.owner)]
        found = np.empty(len(self.owner), np.int64)
        for i, video in enumerate(self.videos):
            part = slice(starts[i], starts[i + 1])
            ends = [end for _, end in video.spans]
            which = np.searchsorted(ends[:-1], self.spans[part].mean(1), side="right")
            found[part] = first[i] + which
        return found

    def window_truth(self, claim: Claim) -> NDArray[np.bool_]:
        """Return whether a claim holds in the shot around each window's middle, `(W,)`."""
        holds = truth_matrix(code_facts([claim.clauses[0]]), self.coded)[0]
        return holds[self.shot_of_window]


def embed(encoder: ShapesEncoder, folder: Path, videos: Sequence[Video], step: float) -> Gallery:
    """Decode the files of `videos` and embed their windows of two seconds.

    Args:
        encoder: what embeds.
        folder: where `generate` wrote the files.
        videos: what it returned.
        step: seconds between the starts of two windows.

    Raises:
        RuntimeError: a file of the world could not be read.
    """
    segmenter = WindowSegmenter(LENGTH, step)
    requests = [
        ReadRequest(i, folder / "videos" / f"{video.id}.mp4", segmenter, encoder.sampler)
        for i, video in enumerate(videos)
    ]
    spans: dict[int, NDArray[np.float64]] = {}
    rows: dict[int, NDArray[np.float32]] = {}
    with DecodePool(1) as pool:
        for found in encode_stream(pool, requests, encoder):
            if found.done.code.is_failure:
                raise RuntimeError(f"{videos[int(found.done.key)].id}: {found.done.message}")
            number = int(found.done.key)
            spans[number] = np.array([[span.start, span.end] for span in found.spans])
            rows[number] = np.concatenate(found.rows)
    counts = [len(spans[i]) for i in range(len(videos))]
    return Gallery(
        tuple(videos),
        np.repeat(np.arange(len(videos)), counts),
        np.concatenate([spans[i] for i in range(len(videos))]),
        np.concatenate([rows[i] for i in range(len(videos))]),
    )


def make(
    encoder: ShapesEncoder,
    folder: Path,
    *,
    seed: int,
    videos: dict[str, int],
    look_alikes: bool = False,
    step: float = STEP,
) -> Gallery:
    """Write a world, or reuse one written before, and embed it."""
    drawn = generate(folder, seed=seed, videos=videos, look_alikes=look_alikes)
    return embed(encoder, folder, drawn, step)


def text_rows(encoder: ShapesEncoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Encode texts to vectors `(N, D)`."""
    return np.concatenate(encoder.encode_texts(texts))


def score_videos(
    encoder: ShapesEncoder, captions: Sequence[str], gallery: Gallery, *, block: int = 512
) -> NDArray[np.float32]:
    """Score captions against videos by the best window, or the best windows in sequence.

    A caption of several clauses scores the mean over its clauses of the best windows that follow
    one another, found by dynamic programming over the video's windows.

    Returns:
        `(len(captions), videos)`.
    """
    clauses = [split_clauses(caption) for caption in captions]
    scores = np.empty((len(captions), len(gallery.videos)), np.float32)
    for size in sorted({len(several) for several in clauses}):
        rows = np.array([i for i, several in enumerate(clauses) if len(several) == size])
        for part in np.array_split(rows, max(1, len(rows) // block)):
            flat = [clause for i in part for clause in clauses[i]]
            cosines = text_rows(encoder, flat) @ gallery.vectors.T
            scores[part] = in_sequence(cosines.reshape(len(part), size, -1), gallery)
    return scores


def in_sequence(cosines: NDArray[np.float32], gallery: Gallery) -> NDArray[np.float32]:
    """Compute the best mean over clauses that match windows in strictly rising order.

    Args:
        cosines: `(N, clauses, W)`.
        gallery: whose W windows these are.

    Returns:
        `(N, videos)`; minus infinity where a video has fewer windows than there are clauses.
    """
    starts = gallery.starts
    if cosines.shape[1] == 1:
        return np.maximum.reduceat(cosines[:, 0], starts, axis=1)
    best = np.full((len(cosines), len(starts)), NEVER, np.float32)
    for video, (start, end) in enumerate(zip(starts, [*starts[1:], None], strict=True)):
        reached = np.zeros((len(cosines), 1), np.float32)
        for clause in range(cosines.shape[1]):
            here = cosines[:, clause, start:end]
            if clause == 0:
                total = here
            else:
                before = np.maximum.accumulate(reached, axis=1)[:, :-1]
                total = here.copy()
                total[:, 0] = NEVER
                total[:, 1:] += before
            reached = total
        best[:, video] = reached.max(1) / cosines.shape[1]
    return best
