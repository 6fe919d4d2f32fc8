"""Load EmbeddingGemma 2 as an encoder."""

from __future__ import annotations

from moviola.core.abilities import Precision
from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.core.spaces import Space
from moviola.encode.embedding_gemma.encoder import EmbeddingGemmaEncoder
from moviola.encode.embedding_gemma.network import EmbeddingGemma
from moviola.encode.embedding_gemma.patches import PatchProcessor
from moviola.encode.embedding_gemma.prompts import RETRIEVE
from moviola.encode.embedding_gemma.sampling import StepSampler
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.preprocessing import stored_config
from moviola.encode.runtime.reduced_precision import load_measured


def load(
    model: str,
    revision: str | None = None,
    *,
    fps: float | str | None = None,
    max_frames: int | str | None = None,
    vectors: int | None = None,
    timestamps: int | None = None,
    sound: int = 0,
    dimension: int | None = None,
    query_instruction: str = RETRIEVE,
    precision: Precision | None = None,
) -> EmbeddingGemmaEncoder:
    """Load EmbeddingGemma 2 from the hub or a folder.

    Args:
        model: an id such as `google/embeddinggemma-2`, or a folder.
        revision: a commit, branch or tag.
        fps: frames a second of a clip; None for what the checkpoint says, as with the next three.
        max_frames: of a clip.
        vectors: of a frame at most.
        timestamps: 1 to tell frames with their times.
        sound: 1 to hear the first 30 seconds of a clip as well; its frames then have times.
        dimension: length of the vectors, prefixes of the whole; None for all of it.
        query_instruction: the task that queries are told.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU, where it keeps the
            vectors of texts, and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    checkpoint = fetch(model, revision=revision)
    told = stored_config(checkpoint.folder, "video_processor")
    pictures = stored_config(checkpoint.folder, "image_processor")
    if not told or not pictures:
        raise WeightsUnavailableError(
            f"{display_path(checkpoint.folder)} does not say how frames are prepared: it has no "
            f"processor_config.json"
        )
    try:
        sampler = StepSampler(
            float(told.get("fps", 1) if fps is None else fps),
            int(told.get("max_frames", 32) if max_frames is None else max_frames),
        )
        budget = int(told.get("max_soft_tokens", 70) if vectors is None else vectors)
    except ValueError as error:
        raise ValueError(f"fps, max_frames and vectors are positive numbers: {error}") from None
    if budget < 1:
        raise ValueError(f"a frame has at least one vector, not {vectors}")

    timed = told.get("add_timestamps", False) if timestamps is None else timestamps

    def made(precision: Precision | None) -> EmbeddingGemmaEncoder:
        network = EmbeddingGemma(checkpoint.folder, precision=precision)
        space = Space(
            model=checkpoint.model,
            revision=checkpoint.revision,
            weights=network.weights,
            dimension=network.width if dimension is None else dimension,
        )
        return EmbeddingGemmaEncoder(
            network,
            space,
            frames=PatchProcessor(budget),
            pictures=PatchProcessor(int(pictures.get("max_soft_tokens", 280))),
            sampler=sampler,
            instruction=str(query_instruction),
            timestamps=bool(timed),
            sound=bool(sound),
        )

    return load_measured(made, precision)
