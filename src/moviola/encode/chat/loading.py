"""Load chat models, as encoders; what `config.json` says is loaded, whatever the family's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.core.spaces import Space
from moviola.encode.chat.backbone import ChatBackbone
from moviola.encode.chat.internvl import InternVLVision
from moviola.encode.chat.network import ChatKind, ChatNetwork
from moviola.encode.chat.prompts import Turn
from moviola.encode.chat.qwen2_5 import Qwen25Vision
from moviola.encode.chat.qwen3 import Qwen3Vision
from moviola.encode.chat.video_llama3 import VideoLlama3Vision
from moviola.encode.decoder.encoder import DecoderEncoder
from moviola.encode.decoder.presets import CHAT_PRESETS, asked_readouts
from moviola.encode.runtime.adapter import is_adapter, merge_adapter, read_adapter
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.hub import LOCAL, MODEL_FILES, fetch
from moviola.encode.runtime.reduced_precision import load_measured

if TYPE_CHECKING:
    from moviola.core.abilities import Precision
    from moviola.encode.chat.vision import Vision

DEFAULT = "one-word"
"""The readout of a chat model, where none is named."""
TEMPLATES = ("chat", "none")
_AT_MOST = 8192
"""Tokens of a caption at most."""
_KINDS: dict[str, tuple[ChatKind, Any]] = {
    "internvl": (
        ChatKind(
            "InternVL", "InternVLConfig", "InternVLModel", ("vision_tower", "multi_modal_projector")
        ),
        InternVLVision,
    ),
    "qwen2_5_vl": (
        ChatKind("Qwen2.5-VL", "Qwen2_5_VLConfig", "Qwen2_5_VLModel", ("visual",)),
        Qwen25Vision,
    ),
    "qwen3_vl": (
        ChatKind("Qwen3-VL", "Qwen3VLConfig", "Qwen3VLModel", ("visual",)),
        Qwen3Vision,
    ),
    "video_llama_3": (
        ChatKind(
            "VideoLLaMA 3", "VideoLlama3Config", "VideoLlama3Model", ("vision_model", "projector")
        ),
        VideoLlama3Vision,
    ),
}
"""The classes in transformers and the eyes of a model, by what its `config.json` says."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """The settings of a chat model; None for the model's own.

    Attributes:
        template: `"chat"` writes prompts into the checkpoint's chat template, `"none"` does not.
        fps: frames a second; InternVL takes none.
        frames: of a clip at most.
        layout: how Qwen3-VL marks a video, `"wrapped"` or `"per-frame"`.
        positions: how Qwen2.5-VL counts behind a video, `"current"` or `"legacy"`.

    Raises:
        ValueError: when there is no such template, or `fps` is no number.
    """

    template: str = "chat"
    fps: float | str | None = None
    frames: int | None = None
    layout: str | None = None
    positions: str | None = None

    def __post_init__(self) -> None:
        if self.template not in TEMPLATES:
            raise ValueError(f"the template is one of {TEMPLATES}, not {self.template!r}")
        if self.frames is not None and not isinstance(self.frames, int):  # a name gives any text
            raise ValueError(f"frames are a number, not {self.frames!r}")

    def vision(self, kind: Any, network: ChatNetwork) -> Vision:
        """Make the eyes of a model.

        Raises:
            ValueError: when an option has no such value, or is none of this model's.
        """
        given = {"frames": self.frames, "layout": self.layout, "positions": self.positions}
        if self.fps is not None:
            given["fps"] = _number(self.fps)
        asked = {name: value for name, value in given.items() if value is not None}
        taken = kind.__init__.__kwdefaults__
        if strange := sorted(asked.keys() - taken.keys()):
            raise ValueError(
                f"this model takes no {strange[0]}; it takes {', '.join(sorted(taken))}"
            )
        return kind(network, **asked)


def load_backbone(
    model: str,
    revision: str | None,
    options: ChatOptions,
    precision: Precision | None = None,
) -> ChatBackbone:
    """Load a chat model in transformers' own layout, from the hub or a folder.

    Args:
        model: an id on the hub, or a folder.
        revision: a commit, branch or tag.
        options: its settings.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    if is_adapter(folder := Path(model).expanduser()):
        adapter = read_adapter(folder)
        below = load_backbone(adapter.base, adapter.revision, options, precision)
        digest = merge_adapter(below.network.language, adapter, below.space.weights)
        space = replace(below.space, model=folder.resolve().name, revision=LOCAL, weights=digest)
        return ChatBackbone(below.network, below.vision, space, turn=below.turn)
    checkpoint = fetch(model, MODEL_FILES, revision)
    told = read_config(checkpoint.folder / "config.json").get("model_type")
    if told not in _KINDS:
        raise WeightsUnavailableError(
            f"{display_path(checkpoint.folder)} is no chat model that can be read: its config.json "
            f"says {told!r}, not one of {', '.join(_KINDS)}"
        )
    kind, eyes = _KINDS[told]
    network = ChatNetwork(checkpoint.folder, kind, precision)
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=network.weights,
        dimension=network.config.text_config.hidden_size,
    )
    turn = Turn.of_template(network.tokenizer) if options.template == "chat" else Turn()
    return ChatBackbone(network, options.vision(eyes, network), space, turn=turn)


def load(
    model: str,
    revision: str | None = None,
    *,
    readout: str | Sequence[str] = DEFAULT,
    layers: str | int = "",
    pooling: str | Sequence[str] = (),
    template: str = "chat",
    fps: float | str | None = None,
    frames: int | None = None,
    layout: str | None = None,
    positions: str | None = None,
    precision: Precision | None = None,
) -> DecoderEncoder:
    """Load a chat model as an encoder, from the hub or a folder.

    Args:
        model: an id such as `Qwen/Qwen3-VL-8B-Instruct`, or a folder.
        revision: a commit, branch or tag.
        readout: names of readouts; see `decoder.presets.CHAT_PRESETS`.
        layers: hidden states in place of the readouts' own, such as `all` or `0,8,16-24`.
        pooling: names of poolings in place of the readouts' own.
        template: as in `ChatOptions`, like what follows.
        fps: frames a second.
        frames: of a clip at most.
        layout: of a video of Qwen3-VL.
        positions: behind a video of Qwen2.5-VL.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU, where it keeps the
            vectors of texts, and float32 elsewhere. It is measured on the first readout.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when there is no such readout, layer, pooling or other value.
    """
    options = ChatOptions(template, fps, frames, layout, positions)

    def made(precision: Precision | None) -> DecoderEncoder:
        backbone = load_backbone(model, revision, options, precision)
        asked = asked_readouts(
            CHAT_PRESETS, backbone.depth, readout=readout, layers=str(layers), pooling=pooling
        )
        return DecoderEncoder(backbone, asked, at_most=_AT_MOST)

    return load_measured(made, precision)


def _number(fps: float | str) -> float:
    """Read a rate, which is a text in a model's name.

    Raises:
        ValueError: when it is none.
    """
    try:
        return float(fps)
    except ValueError:
        raise ValueError(f"fps is a number of frames a second, not {fps!r}") from None
