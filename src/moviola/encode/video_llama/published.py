"""The published files of a Video-LLaMA in a folder, and a model made of them.

A folder holds what the authors released, under their names:

* `eva_vit_g.pth` and `blip2_pretrained_flant5xxl.pth`, or the folder `blip2-flan-t5-xxl` of
  transformers' checkpoint, which holds the same weights in safetensors;
* `VL_*.pth` or `finetune-*.pth`, the branch for pictures;
* `AL_*.pth` or `*audiobranch.pth`, and `imagebind_huge.pth`, for sound;
* a folder such as `llama-2-7b-chat-hf` or `vicuna-7b`: any LLaMA that transformers reads.

`.safetensors` of the same stem is taken as well, and a `config.json` for other sizes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core.abilities import Precision
from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.hub import LOCAL, Checkpoint, fetch, fetch_tensors
from moviola.encode.runtime.loading import weights_digest
from moviola.encode.runtime.precision import DTYPES, best_device, weights_precision
from moviola.encode.video_llama.checkpoints import BLIP2, BLIP2_TENSORS, FILES
from moviola.encode.video_llama.config import VideoLlamaConfig
from moviola.encode.video_llama.llama import llama_config
from moviola.encode.video_llama.model import VideoLlama
from moviola.encode.video_llama.weights.loading import PARTS

if TYPE_CHECKING:
    import torch

_FILE = r"\.(?:pth|safetensors)"
_NAMES: Mapping[str, re.Pattern[str]] = {
    source: re.compile(pattern)
    for source, pattern in {
        "eva_vit_g": rf"eva_vit_g{_FILE}",
        "blip2_pretrained_flant5xxl": rf"blip2_pretrained_flant5xxl{_FILE}",
        "blip2_flan_t5_xxl": r"blip2-flan-t5-xxl",
        "vl_branch": rf"(?:VL_\w+|vl_branch|(?:finetune|pretrain)[-_](?!.*audiobranch).+){_FILE}",
        "al_branch": rf"(?:AL_\w+|al_branch|.+_audiobranch){_FILE}",
        "imagebind_huge": rf"imagebind_huge{_FILE}",
        "imagebind_huge_audio_only": rf"imagebind_huge_audio_only{_FILE}",
        "llama": r"llama(?:\.safetensors)?|(?:llama|vicuna)-[\w.-]+(?<!safetensors)",
    }.items()
}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PublishedFiles:
    """The places of the files of one model.

    Attributes:
        sources: name of a source, as in `VideoLlama.from_original`, → its file or folder.
        tokenizer: the folder of the tokenizer.
        config: a file with the sizes, None for the published ones.
    """

    sources: Mapping[str, Path]
    tokenizer: Path
    config: Path | None = None

    def of(self, parts: Sequence[str]) -> dict[str, Path]:
        """Find the sources that `parts` of `"visual"`, `"audio"`, `"llama"` are made of.

        Raises:
            WeightsUnavailableError: one of them is not there.
        """
        needed: dict[str, Path] = {}
        for part in parts:
            ways = PARTS[part]
            way = next((way for way in ways if way <= self.sources.keys()), None)
            if way is None:
                missing = " or ".join(
                    " + ".join(sorted(way - self.sources.keys())) for way in ways[:-1]
                )
                raise WeightsUnavailableError(
                    f"no file of {missing}, which the part `{part}` of Video-LLaMA is made of; "
                    f"`moviola models pull video-llama-2-7b` says where they come from"
                )
            needed |= {source: self.sources[source] for source in way}
        return needed

    def digest(self, parts: Sequence[str]) -> str:
        """Return 32 hexadecimal digits of the names and bytes of what `parts` are made of."""
        return weights_digest(
            file for path in self.of(parts).values() for file in _weight_files(path)
        )

    def read_config(self) -> VideoLlamaConfig:
        """Read the sizes: of `config`, or the published ones with the language model's own.

        Raises:
            WeightsUnavailableError: neither says how large the language model is.
        """
        if self.config is not None:
            return VideoLlamaConfig.from_json(self.config)
        llama = self.sources.get("llama")
        if llama is None or not llama.is_dir():
            raise WeightsUnavailableError(
                "without a folder of the language model its sizes are unknown: "
                "put config.json beside the files"
            )
        return VideoLlamaConfig(llama=llama_config(llama))


def find_files(folder: Path, llama: Path | None = None) -> PublishedFiles:
    """Find the published files in `folder`, or in its `sources`; `llama` replaces its own.

    Raises:
        WeightsUnavailableError: there are none, or two for one purpose.
    """
    sources: dict[str, Path] = {}
    for path in _listed(folder):
        for source, pattern in _NAMES.items():
            if pattern.fullmatch(path.name):
                if source in sources:
                    raise WeightsUnavailableError(
                        f"{display_path(folder)} holds both {sources[source].name} and "
                        f"{path.name}: keep the one that is meant"
                    )
                sources[source] = path
    if llama is not None:
        sources["llama"] = llama
    if not sources:
        raise WeightsUnavailableError(f"{display_path(folder)} holds no file of a Video-LLaMA")
    own = sources.get("llama", folder)
    tokenizer = own if (own / "tokenizer_config.json").is_file() else folder
    config = folder / "config.json"
    return PublishedFiles(sources, tokenizer, config if config.is_file() else None)


def fetch_files(
    model: str, revision: str | None = None, llama: str = ""
) -> tuple[PublishedFiles, Checkpoint]:
    """Fetch the published files of `model`, a folder or an id, and tell what that exactly is.

    Of a model on the hub, the vision transformer and the image Q-Former come from BLIP-2.

    Args:
        model: a folder such as the module describes, or an id such as
            `DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned`.
        revision: a commit, branch or tag of the model.
        llama: another language model, a folder or an id; the model's own by default.

    Raises:
        WeightsUnavailableError: a file is neither here nor to be had.
    """
    own = fetch(llama).folder if llama else None
    if (folder := Path(model).expanduser()).is_dir():
        return find_files(folder, own), Checkpoint(folder.resolve().name, LOCAL, folder)
    wanted = [name for name in FILES if own is None or not name.startswith("llama-")]
    checkpoint = fetch(model, wanted, revision)
    files = find_files(checkpoint.folder, own)
    blip2 = fetch_tensors(BLIP2, BLIP2_TENSORS).folder
    return replace(files, sources={**files.sources, "blip2_flan_t5_xxl": blip2}), checkpoint


def load_model(
    files: PublishedFiles,
    parts: Sequence[str],
    *,
    precision: Precision | None = None,
    device: torch.device | None = None,
    device_map: str | None = None,
    eight_bit: bool = False,
) -> VideoLlama:
    """Load a model of just these `parts` out of `"visual"`, `"audio"`, `"llama"`.

    Args:
        files: where they lie; a `.pth` out of the hub's cache must have the digest it is kept by.
        parts: what is loaded; nothing else is touched.
        precision: None for bfloat16 on a GPU and float32 elsewhere.
        device: None for the best one.
        device_map: where the language model's layers go, as in accelerate; `"auto"` fills the
            GPUs, then memory. None puts it on `device`.
        eight_bit: the language model in 8 bits a weight (needs a GPU and bitsandbytes).

    Raises:
        WeightsUnavailableError: a file is missing, damaged, or does not fit.
        MissingExtraError: accelerate or bitsandbytes is needed and not installed.
    """
    device = device or best_device()
    sources = files.of(parts)
    config = files.read_config()
    if "audio" not in parts:
        config = replace(config, audio=None)
    return VideoLlama.from_original(
        config,
        sources,
        dtype=DTYPES[weights_precision(precision, device)],
        device=device,
        device_map=device_map,
        eight_bit=eight_bit,
        sha256={name: told for name, path in sources.items() if (told := _kept_by(path))},
    )


def _listed(folder: Path) -> Iterator[Path]:
    for place in (folder, folder / "sources"):
        if place.is_dir():
            yield from sorted(place.iterdir())


def _kept_by(path: Path) -> str | None:
    """Return the SHA-256 that the hub's cache keeps a file by, None elsewhere."""
    name = path.resolve().name
    return name if path.is_symlink() and _DIGEST.fullmatch(name) else None


def _weight_files(path: Path) -> list[Path]:
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
