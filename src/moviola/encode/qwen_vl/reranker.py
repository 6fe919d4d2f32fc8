"""Qwen3-VL-Reranker (arXiv 2601.04720): whether a document answers a query, as one number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from moviola.core.abilities import Precision
from moviola.core.frames import Frames
from moviola.core.spaces import Space
from moviola.encode.qwen_vl.network import Prompt, Qwen3VLNetwork, Seen
from moviola.encode.qwen_vl.prompts import RETRIEVE, Item, reranking_prompt, write_content
from moviola.encode.qwen_vl.reading import AT_MOST, FPS, Sampler, VideoReading
from moviola.encode.runtime.hub import fetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

_LENGTH = 10_240
"""Tokens of a pair of texts at most; clips and pictures are never cut."""


class Qwen3VLReranker:
    """Score pairs by `sigmoid((W[yes] - W[no]) . h)`, h the state at the prompt's last token.

    Args:
        network: the model.
        space: which model scores.
        reading: how clips are sampled, resized and marked.
        instruction: what the model is told to look for.

    Raises:
        WeightsUnavailableError: when the checkpoint has no output head.
    """

    def __init__(
        self,
        network: Qwen3VLNetwork,
        space: Space,
        reading: VideoReading,
        *,
        instruction: str = RETRIEVE,
    ) -> None:
        self._network = network
        self._space = space
        self._reading = reading
        self._instruction = instruction
        yes, no = network.word_rows(("yes", "no"))
        self._direction = yes - no

    @property
    def space(self) -> Space:
        """Return which model scores."""
        return self._space

    @property
    def sampler(self) -> Sampler:
        """Return the frames of a clip."""
        return self._reading.sampler

    def score_pairs(self, texts: Sequence[str], clips: Sequence[Frames]) -> Scores:
        """Score the i-th text against the i-th clip, `(N,)` float32 in [0, 1].

        Raises:
            ValueError: when there are not as many texts as clips, or a clip has no frames.
        """
        if len(texts) != len(clips):
            raise ValueError(
                f"pairs need as many texts as clips, not {len(texts)} and {len(clips)}"
            )
        of_clip: dict[int, list[int]] = {}
        for place, clip in enumerate(clips):
            of_clip.setdefault(id(clip), []).append(place)
        found = np.empty(len(texts), np.float32)
        for group in self._seen_together([clips[places[0]] for places in of_clip.values()]):
            places = [place for clip, _ in group for place in of_clip[id(clip)]]
            seen = [each for clip, each in group for _ in of_clip[id(clip)]]
            found[places] = self._score_seen([texts[place] for place in places], seen)
        return found

    def score(self, texts: Sequence[str], clips: Sequence[Frames]) -> Scores:
        """Score every text against every clip, `(T, C)` float32 in [0, 1].

        Raises:
            ValueError: when a clip has no frames.
        """
        pairs = [(text, clip) for text in texts for clip in clips]
        flat = self.score_pairs([text for text, _ in pairs], [clip for _, clip in pairs])
        return flat.reshape(len(texts), len(clips))

    def score_items(self, queries: Sequence[Item], documents: Sequence[Item]) -> Scores:
        """Score the i-th query against the i-th document, `(N,)` float32 in [0, 1].

        Either may hold videos, pictures and a text.

        Raises:
            ValueError: when there are not as many queries as documents.
        """
        prompts = [
            self.prompt(
                query,
                self._reading.see_item(self._network, query),
                document,
                self._reading.see_item(self._network, document),
            )
            for query, document in zip(queries, documents, strict=True)
        ]
        return self._scores(prompts)

    def prompt(
        self, query: Item, query_seen: Sequence[Seen], document: Item, document_seen: Sequence[Seen]
    ) -> Prompt:
        """Write and tokenize the prompt of a pair whose videos and pictures were seen.

        Raises:
            ValueError: when a text holds marks that stand for pictures beside pictures.
        """
        sides = [
            write_content(item.text, [each.patches for each in seen], self._reading.layout)
            for item, seen in ((query, query_seen), (document, document_seen))
        ]
        written = reranking_prompt(self._instruction, *sides)
        return self._network.tokenize(written, [*query_seen, *document_seen], length=_LENGTH)

    def _seen_together(self, clips: Sequence[Frames]) -> Iterator[list[tuple[Frames, Seen]]]:
        """Encode clips, and give as many at a time as have the vectors of a batch."""
        group: list[tuple[Frames, Seen]] = []
        vectors = 0
        for clip in clips:
            seen = self._reading.see_clip(self._network, clip)
            if group and vectors + len(seen.merged) > self._network.batch_tokens:
                yield group
                group, vectors = [], 0
            group.append((clip, seen))
            vectors += len(seen.merged)
        if group:
            yield group

    def _score_seen(self, texts: Sequence[str], seen: Sequence[Seen]) -> Scores:
        """Score pairs `(N,)` whose clips were seen; pairs of one text share its beginning."""
        of_text: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            of_text.setdefault(text, []).append(place)
        groups = [places for places in of_text.values() if len(places) > 1]
        groups.append([places[0] for places in of_text.values() if len(places) == 1])
        found = np.empty(len(texts), np.float32)
        for places in groups:
            found[places] = self._scores(
                [self.prompt(Item(texts[at]), (), Item(), [seen[at]]) for at in places]
            )
        return found

    def _scores(self, prompts: Sequence[Prompt]) -> Scores:
        """Read prompts to scores `(N,)`; what all begin with is processed once."""
        shared = common_start(prompts, self._network.pads) if len(prompts) > 1 else 0
        states = self._network.last_states(prompts, shared).to(self._direction.device)
        return torch.sigmoid(states @ self._direction).cpu().numpy()


def common_start(prompts: Sequence[Prompt], pads: Collection[int]) -> int:
    """Count the tokens that all prompts begin with, up to a pad and without the last of any."""
    first: list[int] = prompts[0].ids.tolist()
    most = min(len(prompt.ids) for prompt in prompts) - 1
    rest: list[list[int]] = [prompt.ids[:most].tolist() for prompt in prompts[1:]]
    count = 0
    while (
        count < most
        and first[count] not in pads
        and all(ids[count] == first[count] for ids in rest)
    ):
        count += 1
    return count


def load(
    model: str,
    revision: str | None = None,
    *,
    layout: str = "per-frame",
    frames: str = "file",
    fps: float | str = FPS,
    max_frames: int | str = AT_MOST,
    instruction: str = RETRIEVE,
    precision: Precision | None = None,
) -> Qwen3VLReranker:
    """Load Qwen3-VL-Reranker from the hub or a folder.

    Args:
        model: an id such as `Qwen/Qwen3-VL-Reranker-2B`, or a folder.
        revision: a commit, branch or tag.
        layout: how a video is marked, as of the embedding model.
        frames: how frames are prepared, as of the embedding model.
        fps: frames a second of a file.
        max_frames: of a clip.
        instruction: what the model is told to look for; no full stop is added.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    reading = VideoReading.of_options(layout, frames, fps, max_frames)
    checkpoint = fetch(model, revision=revision)
    network = Qwen3VLNetwork(checkpoint.folder, precision=precision)
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=network.weights,
        dimension=network.width,
    )
    return Qwen3VLReranker(network, space, reading, instruction=str(instruction))
