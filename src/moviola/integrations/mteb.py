"""Wrap our encoders as models of mteb, the benchmark of embeddings (the extra `mteb`).

`mteb.evaluate(MtebEncoder("shapes"), tasks)` runs mteb's tasks on them. Videos are decoded by our
own workers under their limits, from the files or bytes that the data set holds.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Encoder, MissingExtraError, VideoUnreadableError, wanted_sound
from moviola.pipeline.encode.streaming import encode_stream
from moviola.plugins import load_encoder
from moviola.video import DecodePool, ReadRequest, WholeSegmenter

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What a row of a data set of mteb may hold beside its id.
_MODALITIES = frozenset({"text", "image", "audio", "video"})


class MtebEncoder:
    """Wrap one of our encoders in mteb's `EncoderProtocol`.

    It embeds texts and whole videos into one vector each; prompts of tasks are not used, since our
    encoders bring their own.

    Attributes:
        encoder: the encoder behind it.

    Raises:
        MissingExtraError: when mteb is not installed.
        PluginNotFoundError: when no encoder goes by that name.
        ValueError: when another revision was asked for than there is, or the encoder keeps several
            rows an item.
    """

    def __init__(
        self,
        model_name: str | Encoder = "shapes",
        revision: str | None = None,
        *,
        device: str | None = None,
        **options: Any,
    ) -> None:
        if find_spec("mteb") is None:
            raise MissingExtraError(
                'running tasks of mteb needs mteb; install it with: pip install "moviola[mteb]"'
            )
        if device is not None:
            options["device"] = device
        self.encoder = (
            load_encoder(model_name, **options) if isinstance(model_name, str) else model_name
        )
        space = self.encoder.space
        if revision not in (None, space.revision):
            raise ValueError(f"{space.model!r} is of revision {space.revision!r}, not {revision!r}")
        for tower in (self.encoder.text_readout, self.encoder.video_readout):
            if tower.pooling == "none":
                raise ValueError(
                    f"{space.model!r} keeps several rows an item, and mteb's tasks want one; load "
                    f"it with a pooling"
                )
        self._meta = self._described()

    @property
    def mteb_model_meta(self) -> Any:
        """Return the `ModelMeta` under which mteb files results.

        Its revision holds a digest of space and readouts, so that mteb's cache never takes the
        results of one for those of another.
        """
        return self._meta

    def encode(
        self,
        inputs: Any,
        *,
        task_metadata: Any,
        hf_split: str,
        hf_subset: str,
        prompt_type: Any = None,
        **_: Any,
    ) -> NDArray[np.float32]:
        """Encode to unit rows `(N, D)`, or rows of any length under the dot product.

        Texts that are documents are read by `encode_documents` where the encoder has it, as
        queries are by `encode_texts`; other encoders read both alike.

        Args:
            inputs: a `DataLoader` of batches with `text`, or over a data set with `video`.
            task_metadata: the task, named when something goes wrong.
            hf_split: split of the task, likewise.
            hf_subset: subset of the task, likewise.
            prompt_type: whether the inputs are queries or documents.

        Raises:
            ValueError: when an input is neither a text nor a video, or both.
            VideoUnreadableError: when a video cannot be decoded; a benchmark has no gaps.
        """
        held = _MODALITIES & set(inputs.dataset.column_names)
        if held == {"text"}:
            read = self.encoder.encode_texts
            # A value of mteb's enumeration, or its text.
            if getattr(prompt_type, "value", prompt_type) == "document":
                read = getattr(self.encoder, "encode_documents", read)
            rows = [row for batch in inputs for row in read(batch["text"])]
        elif held == {"video"}:
            where = f"{task_metadata.name}, {hf_split}, {hf_subset}"
            rows = self._encode_videos(inputs.dataset, where)
        else:
            raise ValueError(
                f"{task_metadata.name} asks for {' with '.join(sorted(held)) or 'nothing'} as one "
                f"input; our encoders embed a text or a video"
            )
        return np.concatenate([np.empty((0, self.encoder.space.dimension), np.float32), *rows])

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Score every first row with every second, `(N, M)`, in the space's metric."""
        return self._scorer("cos_sim", "dot_score")(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Score each first row with the second of its place, `(N,)`."""
        return self._scorer("pairwise_cos_sim", "pairwise_dot_score")(embeddings1, embeddings2)

    def _scorer(self, cosine: str, dot: str) -> Any:
        name = cosine if self.encoder.space.metric == "cosine" else dot
        return getattr(import_module("mteb.similarity_functions"), name)

    def _encode_videos(self, dataset: Any, where: str) -> list[NDArray[np.float32]]:
        # Undecoded: what mteb would decode with is another decoder, with no limits.
        undecoded = dataset.cast_column("video", import_module("datasets").Video(decode=False))
        rows: dict[int, NDArray[np.float32]] = {}
        with tempfile.TemporaryDirectory() as folder, DecodePool() as pool:
            requests = self._requests(undecoded, Path(folder))
            for video in encode_stream(pool, requests, self.encoder):
                number = int(video.done.key)
                if video.done.code.is_failure:
                    raise VideoUnreadableError(
                        f"video {number} of {where}: {video.done.message}", code=video.done.code
                    )
                rows[number] = video.rows[0]
                _written(Path(folder), number).unlink(missing_ok=True)
        return [rows[number] for number in range(len(dataset))]

    def _requests(self, undecoded: Any, folder: Path) -> Iterator[ReadRequest]:
        for number, row in enumerate(undecoded):
            video = row["video"]
            path = Path(video["path"] or "")
            if video["bytes"] is not None:
                path = _written(folder, number)
                path.write_bytes(video["bytes"])
            sound = wanted_sound(self.encoder)
            yield ReadRequest(number, path, WholeSegmenter(), self.encoder.sampler, sound)

    def _described(self) -> Any:
        space = self.encoder.space
        parts = (space, self.encoder.text_readout, self.encoder.video_readout)
        digest = hashlib.sha256("".join(part.digest for part in parts).encode()).hexdigest()
        mteb = import_module("mteb.models.model_meta")
        return mteb.ModelMeta.create_empty(
            {
                # mteb wants an organisation before the name.
                "name": space.model if "/" in space.model else f"moviola/{space.model}",
                "revision": f"{space.revision}-{digest[:12]}",
                "embed_dim": space.dimension,
                "modalities": ["text", "video"],
                "similarity_fn_name": mteb.ScoringFunction(space.metric),
            }
        )


def _written(folder: Path, number: int) -> Path:
    """Write the bytes of a video to a file that lives while it is decoded."""
    return folder / f"{number}.video"
