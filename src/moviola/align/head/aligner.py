"""Hold a fitted head (`Aligner`) as an object, as a folder, and on the hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from moviola.align.head.card import HeadCard
from moviola.align.head.files import fetch_head, publish_head, read_head, write_head
from moviola.align.head.maps import Maps, build_maps
from moviola.align.head.side import Side, all_rows
from moviola.core import Clip, Embeddings, Readout, Space, StoreCorruptError, Text, display_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from moviola.core.embeddings import ItemT

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Aligner:
    """Map texts and clips into one space, after checking that they are what the fit saw.

    Attributes:
        texts: the expected texts.
        clips: the expected clips.
        maps: standardised rows into the shared space.
        fit: how the fit went, as JSON values.
    """

    texts: Side
    clips: Side
    maps: Maps
    fit: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def space(self) -> Space:
        """Return the space of the output; its `head` is the hash of the weights.

        Equal fits, and only they, share it.
        """
        names = [side.space.model or "arrays" for side in (self.texts, self.clips)]
        inputs = "".join(side.space.digest for side in (self.texts, self.clips))
        return Space(
            model=f"{names[0]} + {names[1]}",
            revision="",
            weights=hashlib.blake2b(inputs.encode(), digest_size=16).hexdigest(),
            dimension=self.maps.dimension,
            metric=self.maps.metric,
            head=self.digest,
        )

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits of the weights and all else that makes the maps."""
        found = hashlib.blake2b(digest_size=16)
        about = {"kind": self.maps.kind, "options": self.maps.options()}
        found.update(json.dumps(about, sort_keys=True).encode())
        for name, tensor in sorted(self.tensors().items()):
            found.update(f"{name}{tensor.shape}".encode())
            found.update(np.ascontiguousarray(tensor, "<f4").tobytes())
        return found.hexdigest()

    def align_texts(self, texts: Embeddings[Text]) -> Embeddings[Text]:
        """Map texts into the head's space, one float32 row each.

        Raises:
            SpaceMismatchError: when they are not what the head was fitted on.
            ValueError: when a text has several rows and the head takes one.
        """
        self.texts.require(texts, what="the texts")
        return self._aligned(texts, self.texts, self.maps.map_texts, "the texts")

    def align_clips(self, clips: Embeddings[Clip]) -> Embeddings[Clip]:
        """Map clips into the head's space, one float32 row each.

        Raises:
            SpaceMismatchError: when they are not what the head was fitted on.
            ValueError: when a clip has several rows and the head takes one.
        """
        self.clips.require(clips, what="the videos")
        return self._aligned(clips, self.clips, self.maps.map_clips, "the videos")

    def tensors(self) -> dict[str, Floats]:
        """Return all weights by name, including the statistics of both sides."""
        found = {
            "texts.mean": self.texts.mean,
            "texts.scale": self.texts.scale,
            "clips.mean": self.clips.mean,
            "clips.scale": self.clips.scale,
        }
        return found | {f"maps.{name}": tensor for name, tensor in self.maps.tensors().items()}

    def card(self) -> HeadCard:
        """Return the card that is written beside the weights."""
        return HeadCard(
            kind=self.maps.kind,
            options=self.maps.options(),
            texts=self.texts.to_json(),
            clips=self.clips.to_json(),
            head=self.digest,
            fit=self.fit,
        )

    def save_pretrained(self, folder: Path | str) -> None:
        """Write `head.safetensors`, `head.json` and a model card into a new folder.

        Raises:
            FileExistsError: when the folder holds anything but an earlier head.
            StorageError: when it cannot be written.
        """
        write_head(Path(folder), self.card(), self.tensors())

    @classmethod
    def from_pretrained(cls, where: Path | str, *, revision: str | None = None) -> Self:
        """Load the head in a folder, or of a repository on the hub such as `name/head`.

        Args:
            where: a folder, or the id of a repository.
            revision: branch, tag or commit of the repository.

        Raises:
            FileNotFoundError: when there is no such folder and it is no id.
            StoreCorruptError: when the files are not those of a head, or were changed.
            WeightsUnavailableError: when the hub does not give them.
        """
        folder = Path(where)
        if not folder.is_dir():
            folder = fetch_head(str(where), revision=revision)
        card, tensors = read_head(folder)
        try:
            made = cls._of(card, tensors)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreCorruptError(
                f"the head {display_path(folder)} cannot be built: {error}; fit it again"
            ) from error
        if made.digest != card.head:
            raise StoreCorruptError(
                f"the weights of {display_path(folder)} are not those of its card; fit it again"
            )
        return made

    def push_to_hub(
        self, repository: str, *, private: bool = False, message: str = "A Moviola head"
    ) -> str:
        """Upload the head with its model card; return the address of the commit.

        Raises:
            WeightsUnavailableError: when the hub refuses or cannot be reached.
        """
        return publish_head(
            repository, self.card(), self.tensors(), private=private, message=message
        )

    @classmethod
    def _of(cls, card: HeadCard, tensors: Mapping[str, Floats]) -> Self:
        left = dict(tensors)
        texts, clips = (
            Side.from_json(dict(side), left.pop(f"{name}.mean"), left.pop(f"{name}.scale"))
            for name, side in (("texts", card.texts), ("clips", card.clips))
        )
        strange = [name for name in left if not name.startswith("maps.")]
        if strange:
            raise ValueError(f"no head has a tensor {strange[0]!r}")
        weights = {name.removeprefix("maps."): tensor for name, tensor in left.items()}
        return cls(texts, clips, build_maps(card.kind, weights, card.options), card.fit)

    def _aligned(
        self,
        embeddings: Embeddings[ItemT],
        expected: Side,
        mapped: Callable[[Floats, NDArray[np.int64]], Floats],
        what: str,
    ) -> Embeddings[ItemT]:
        if not (self.maps.takes_rows or embeddings.is_pooled):
            raise ValueError(
                f"{what} have several rows an item, and this head takes one; pool them first"
            )
        rows = mapped(expected.standardise(all_rows(embeddings)), embeddings.offsets)
        return Embeddings(
            embeddings.items,
            np.arange(len(embeddings) + 1, dtype=np.int64),
            [rows],
            self.space,
            _pooled(embeddings.readout) if self.maps.takes_rows else embeddings.readout,
        )


def _pooled(readout: Readout) -> Readout:
    return replace(readout, pooling="head")
