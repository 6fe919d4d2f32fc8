"""Video-LLaMA as an encoder: captions and clips, before, inside and after the LLaMA."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from moviola.core import Frames, LeftSampler, Precision, SoundSpec, Space, WeightsUnavailableError
from moviola.encode.decoder.encoder import DecoderEncoder
from moviola.encode.decoder.inputs import DecoderInputs, Kind, Piece, Words, assemble
from moviola.encode.decoder.presets import DEFAULT, PRESETS, asked_readouts
from moviola.encode.decoder.prompts import caption_pieces, prompt_row
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.precision import best_device, weights_precision
from moviola.encode.video_llama.prompts import frames_message
from moviola.encode.video_llama.published import (
    PublishedFiles,
    fetch_files,
    load_model,
)
from moviola.encode.video_llama.readouts import REPORT
from moviola.encode.video_llama.sound.mel import RATE
from moviola.encode.video_llama.sound.mel_clips import mel_pictures
from moviola.encode.video_llama.tokens import load_tokenizer
from moviola.encode.video_llama.vision.frames import (
    distinct,
    left_sampler,
    pixel_values,
    preprocessing,
)

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

#: Clips at a time in the vision tower.
_CLIPS = 8
_STEREO = 2


class VideoLlamaBackbone:
    """The files of a Video-LLaMA; each part of it is loaded when it is first used.

    Args:
        files: where they lie.
        model: its name.
        revision: its exact revision.
        audio: `"none"`, `"beside"` for the vectors of the sound behind those of the frames, or
            `"alone"` for them in their place.
        mean_in_place: subtract the means of overlapping clips of sound as the original does.
        device_map: where the layers of the LLaMA go, as in accelerate.
        eight_bit: the LLaMA in 8 bits a weight.
        precision: None for bfloat16 on a GPU and float32 elsewhere.
    """

    def __init__(
        self,
        files: PublishedFiles,
        *,
        model: str,
        revision: str,
        audio: str = "none",
        mean_in_place: bool = False,
        device_map: str | None = None,
        eight_bit: bool = False,
        precision: Precision | None = None,
    ) -> None:
        if audio not in ("none", "beside", "alone"):
            raise ValueError(f"audio is none, beside or alone, not {audio!r}")
        self._files = files
        self._audio = audio
        self._mean_in_place = mean_in_place
        self._device_map, self._eight_bit = device_map, eight_bit
        self.config = files.read_config()
        self.tokenizer: PreTrainedTokenizerBase = load_tokenizer(files.tokenizer)
        if audio != "none" and self.config.audio is None:
            raise WeightsUnavailableError(f"{model} has no branch for sound; leave audio out")
        parts = ["visual", "llama", *([] if audio == "none" else ["audio"])]
        self.precision: Precision = weights_precision(precision, best_device())
        weights = files.digest(parts) + _rounding(self.precision, eight_bit=eight_bit)
        self._space = Space(model, revision, weights, self.config.hidden_size)

    @property
    def space(self) -> Space:
        """Return the space of the LLaMA's vectors, which its inputs share."""
        return self._space

    @property
    def depth(self) -> int:
        """Return the number of layers of the LLaMA."""
        return int(self.config.llama["num_hidden_layers"])

    @property
    def sampler(self) -> LeftSampler:
        """Return the sampler of as many frames as it was trained on, scaled as by the original."""
        return left_sampler(self.config.frames, self.config.vision.image_size)

    @property
    def sound(self) -> SoundSpec | None:
        """Return the wanted sound: both channels at 16 kHz, where it is heard."""
        return None if self._audio == "none" else SoundSpec(RATE, _STEREO)

    @property
    def preprocessing(self) -> str:
        """Name the normalisation of frames, the vectors there are, and the mean of the sound."""
        said = [preprocessing(self.config.vision.image_size).spec]
        if self._audio != "none":
            said.append(f"audio {self._audio}")
            if self._mean_in_place:
                said.append("mean in place")
        return "; ".join(said)

    @property
    def words(self) -> str:
        """Tell that captions are tokenised alone."""
        return "words"

    def decoder(self) -> nn.Module:
        """Return the layers of the LLaMA."""
        return self._llama.model

    def inputs(self, rows: Sequence[Sequence[Piece]]) -> DecoderInputs:
        """Assemble rows of pieces as the LLaMA reads them."""
        return assemble(rows, self._llama.get_input_embeddings())

    @torch.inference_mode()
    def pieces(self, clips: Sequence[Frames]) -> list[list[Piece | Words]]:
        """Encode the frames, or the sound, or both, of every clip."""
        found: list[list[Piece | Words]] = [[] for _ in clips]
        if self._audio != "alone":
            for own, vectors in zip(found, self._see(clips), strict=True):
                own.append(Piece(Kind.VIDEO, vectors))
        if self._audio != "none":
            heard = run_batched(self._hear, [self._mel(clip) for clip in clips], _CLIPS)
            for own, vectors in zip(found, heard, strict=True):
                own.append(Piece(Kind.AUDIO, vectors))
        return found

    def caption(self, text: str, at_most: int) -> list[Piece | Words]:
        """Return the first `at_most` tokens of a caption."""
        return [*caption_pieces(self.tokenizer, text, at_most)]

    def row(
        self, prompt: str, content: Sequence[Piece | Words], clip: Frames | None = None
    ) -> list[Piece]:
        """Put content into a prompt, which may tell when the frames of a clip were sampled."""
        timing = ""
        if clip is not None:
            times = distinct(clip).times
            timing = frames_message((times - times[0]).tolist())
        pieces = [piece for piece in content if isinstance(piece, Piece)]
        return prompt_row(self.tokenizer, prompt, pieces, timing)

    def _see(self, clips: Sequence[Frames]) -> list[Tensor]:
        """Encode every clip to `(queries, H)`; clips of as many frames share a batch."""
        side = self.config.vision.image_size
        kept = [distinct(clip) for clip in clips]
        found: dict[int, Tensor] = {}

        def see(places: Sequence[int]) -> list[Tensor]:
            video = torch.stack([pixel_values(kept[place].pixels, side) for place in places])
            branch = self._visual
            return list(branch(video.to(_device_of(branch))))

        for count in dict.fromkeys(map(len, kept)):
            places = [place for place, clip in enumerate(kept) if len(clip) == count]
            found.update(zip(places, run_batched(see, places, _CLIPS), strict=True))
        return [found[place] for place in range(len(clips))]

    def _hear(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        branch = self._audio_branch
        mel = torch.stack(list(pictures))
        return list(branch(mel.to(_device_of(branch))))

    def _mel(self, clip: Frames) -> Tensor:
        """Make mel pictures of a clip's sound; of silence where the file has none."""
        audio = self.config.audio
        assert audio is not None and clip.sound is not None  # noqa: S101, PT018 -- asked for
        samples, rate = clip.sound.samples, clip.sound.rate
        if not samples.size:
            length = int(audio.clip_seconds * rate)
            return mel_pictures(torch.zeros(1, length), rate, audio)
        return mel_pictures(samples, rate, audio, shift_in_place=self._mean_in_place)

    @cached_property
    def _visual(self) -> nn.Module:
        visual = load_model(self._files, ["visual"], precision=self.precision).visual
        assert visual is not None  # noqa: S101 -- asked for
        return visual

    @cached_property
    def _audio_branch(self) -> nn.Module:
        audio = load_model(self._files, ["audio"], precision=self.precision).audio
        assert audio is not None  # noqa: S101 -- asked for
        return audio

    @cached_property
    def _llama(self) -> LlamaForCausalLM:
        loaded = load_model(
            self._files,
            ["llama"],
            precision=self.precision,
            device_map=self._device_map,
            eight_bit=self._eight_bit,
        )
        assert loaded.llama is not None  # noqa: S101 -- asked for
        return loaded.llama


def _device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's weights, the first of them."""
    return next(module.parameters()).device


def _rounding(precision: Precision, *, eight_bit: bool) -> str:
    """Tell what the weights were rounded to.

    It moves these vectors too far to be left out of their space.
    """
    if eight_bit:
        return " in 8 bits"
    return "" if precision == "float32" else f" in {precision}"


def load(
    model: str,
    revision: str | None = None,
    *,
    readout: str | Sequence[str] = DEFAULT,
    layers: str | int = "",
    pooling: str | Sequence[str] = (),
    audio: str = "none",
    mean_in_place: bool = False,
    llama: str = "",
    device_map: str | None = None,
    eight_bit: bool = False,
    precision: Precision | None = None,
) -> DecoderEncoder:
    """Load Video-LLaMA (Zhang et al., arXiv 2306.02858) from the hub or a folder.

    Args:
        model: an id such as `DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned`, or a folder.
        revision: of the model, where it has one.
        readout: names of readouts; see `readout_presets.PRESETS` and `report.REPORT`.
        layers: hidden states in place of the readouts' own, such as `all` or `0,8,16-24`.
        pooling: names of poolings in place of the readouts' own.
        audio: `none`, `beside` the video, or `alone`.
        mean_in_place: treat overlapping clips of sound as the original does, to compare with it.
        llama: another LLaMA than the model's own, such as a merged Vicuna: a folder or an id.
        device_map: where the layers of the LLaMA go, such as `auto`.
        eight_bit: the LLaMA in 8 bits a weight.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when files are missing or do not fit.
        ValueError: when there is no such readout, layer or pooling.
    """
    files, checkpoint = fetch_files(model, revision, llama)
    backbone = VideoLlamaBackbone(
        files,
        model=checkpoint.model,
        revision=checkpoint.revision,
        audio=audio,
        mean_in_place=mean_in_place,
        device_map=device_map,
        eight_bit=eight_bit,
        precision=precision,
    )
    asked = asked_readouts(
        {**PRESETS, **REPORT}, backbone.depth, readout=readout, layers=str(layers), pooling=pooling
    )
    return DecoderEncoder(backbone, asked)
