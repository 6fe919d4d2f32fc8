"""Models of sentence-transformers that take video: frames are chosen here, the rest is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from moviola.core.abilities import Precision, TowerName
from moviola.core.errors import MissingExtraError, WeightsUnavailableError
from moviola.core.frames import Frames
from moviola.core.paths import display_path
from moviola.core.sampling import RateSampler, UniformSampler
from moviola.core.spaces import Readout, Space
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.hub import MODEL_FILES, fetch
from moviola.encode.runtime.loading import DAMAGES, weights_digest
from moviola.encode.runtime.precision import best_device, weights_precision
from moviola.encode.runtime.tokenizers import require_vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

RATE, AT_MOST = 1.0, 64
"""Frames a second, and at most: as the official script of Qwen3-VL-Embedding takes them."""
_FILES = (*MODEL_FILES, "*.jinja", "*/*.json", "*/*.txt", "*/*.jinja", "*/*.safetensors")
"""A model may keep its modules in folders."""
_SETTINGS = (".json", ".txt", ".jinja")
QUERY, DOCUMENT = ("query",), ("document", "passage", "corpus")
"""The prompts that `encode_query` and `encode_document` look for."""
_TEXTS = 32


class SentenceTransformerEncoder:
    """Texts as queries and clips as documents, unit vectors of one space.

    Args:
        model: a model that takes text and video.
        space: the space of exactly these weights.
        sampler: of frames.
        settings: a digest of what else decides about vectors: processors, pooling, templates.

    Raises:
        ValueError: when the model takes no text or no video.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        space: Space,
        *,
        sampler: UniformSampler | RateSampler,
        settings: str,
    ) -> None:
        for wanted in ("text", "video"):
            if not model.supports(wanted):
                taken = ", ".join(str(each) for each in model.modalities)
                raise ValueError(
                    f"{space.model} takes {taken}, but no {wanted}; models of single images are "
                    "loaded by --model two-tower:ID"
                )
        self._model = model.eval()
        self._space = space
        self._sampler = sampler
        dtype = next(model.parameters()).dtype
        self._precision: Precision = "float32" if dtype == torch.float32 else "bfloat16"
        self._settings = f"settings:{settings}"
        self._query, self._document = chosen_prompt(model, QUERY), chosen_prompt(model, DOCUMENT)

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights."""
        return self._space

    @property
    def sampler(self) -> UniformSampler | RateSampler:
        """Return the frames of a clip."""
        return self._sampler

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        return Readout(
            preprocessing=self._settings,
            sampling=self._sampler.spec,
            prompt=self._document,
            pooling="the model's",
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(preprocessing=self._settings, prompt=self._query, pooling="the model's")

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of the weights, through which texts and clips go alike."""
        del tower
        return self._precision

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to a `(1, D)` float32 row of unit length."""
        return run_batched(self._encode_texts, texts, _TEXTS)

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip alone, without padding, to a `(1, D)` float32 row of unit length."""
        return run_batched(self._encode_videos, clips, 1)

    def _encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        # A bare string that names a file or a page would be opened as a picture or video.
        # Words of a command line may hold bytes that are no text.
        clean = [text.encode(errors="replace").decode() for text in texts]
        said: list[Any] = [{"text": text} for text in clean]
        return _rows(
            self._model.encode_query(said, prompt=self._query, batch_size=len(said), **_ENCODE)
        )

    def _encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        shown: list[Any] = [{"video": _video(clip)} for clip in clips]
        return _rows(
            self._model.encode_document(
                shown,
                prompt=self._document,
                batch_size=len(shown),
                processing_kwargs={"video": {"do_sample_frames": False}},
                **_ENCODE,
            )
        )


_ENCODE: Mapping[str, Any] = {"normalize_embeddings": True, "show_progress_bar": False}


def load(
    model: str,
    revision: str | None = None,
    *,
    frames: int | None = None,
    dimension: int | None = None,
    precision: Precision | None = None,
) -> SentenceTransformerEncoder:
    """Load any model of sentence-transformers that takes text and video.

    Args:
        model: an id on the hub, or a folder.
        revision: a commit, branch or tag; None for the main branch.
        frames: frames a clip; None for one a second, at most 64.
        dimension: leading numbers of a vector to keep, for models that were trained for it.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        MissingExtraError: when sentence-transformers is not installed.
        WeightsUnavailableError: when the weights are neither here nor to be had.
        ValueError: when the model takes no text or no video.
    """
    loaded, space, settings = load_model(model, revision, dimension, precision)
    sampler = UniformSampler(frames) if frames else RateSampler(RATE, AT_MOST)
    return SentenceTransformerEncoder(loaded, space, sampler=sampler, settings=settings)


def load_model(
    model: str, revision: str | None, dimension: int | None, precision: Precision | None
) -> tuple[SentenceTransformer, Space, str]:
    """Load a model of sentence-transformers, whatever it takes.

    Returns:
        The model, the space of exactly its weights, and a digest of its settings.

    Raises:
        MissingExtraError: when sentence-transformers is not installed.
        WeightsUnavailableError: when the weights are neither here nor to be had.
        ValueError: when it needs code of its own.
    """
    if find_spec("sentence_transformers") is None:
        raise MissingExtraError(
            "models of sentence-transformers need an extra: "
            "pip install 'moviola[sentence-transformers]'"
        )
    found = fetch(model, _FILES, revision)
    require_vocabulary(found.folder)
    import_module("transformers.utils.logging").disable_progress_bar()
    device = best_device()
    library = import_module("sentence_transformers")
    try:
        loaded: SentenceTransformer = library.SentenceTransformer(
            str(found.folder),
            device=str(device),
            trust_remote_code=False,
            local_files_only=True,
            truncate_dim=dimension,
            model_kwargs={"dtype": weights_precision(precision, device), "use_safetensors": True},
        )
    except DAMAGES as error:
        if "trust_remote_code" in str(error):
            raise ValueError(
                f"{display_path(found.folder)} brings code of its own, which is never run; choose "
                f"a model of modules that sentence-transformers has"
            ) from error
        raise WeightsUnavailableError(
            f"{display_path(found.folder)} is no model of sentence-transformers: {error}; fetch it "
            f"again"
        ) from error
    files = sorted(path for path in found.folder.rglob("*") if path.is_file())
    space = Space(
        model=found.model,
        revision=found.revision,
        weights=weights_digest(path for path in files if path.suffix == ".safetensors"),
        dimension=loaded.encode(["a"], show_progress_bar=False).shape[1],
    )
    settings = weights_digest(path for path in files if path.suffix in _SETTINGS)
    return loaded, space, settings


def chosen_prompt(model: SentenceTransformer, names: Sequence[str]) -> str:
    """Return the prompt that `encode_query` or `encode_document` would choose; `""` for none."""
    chosen = next((name for name in names if model.prompts.get(name)), model.default_prompt_name)
    return model.prompts.get(chosen or "") or ""


def _video(clip: Frames) -> dict[str, Any]:
    """Turn a clip into what sentence-transformers takes: frames with their times."""
    pixels, times = clip.pixels, clip.times
    if len(clip) == 1:  # models that join neighbouring frames need two
        pixels, times = np.repeat(pixels, 2, axis=0), np.repeat(times, 2)
    lasts = float(times[-1] - times[0])
    rate = (len(times) - 1) / lasts if lasts > 0 else RATE
    facts = {
        "total_num_frames": len(times),
        "fps": rate,
        "duration": len(times) / rate,
        "frames_indices": list(range(len(times))),
    }
    # Channels first, which cannot be taken for anything else.
    return {"array": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), "video_metadata": facts}


def _rows(vectors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [row[None] for row in np.asarray(vectors, dtype=np.float32)]
