"""Tiny random checkpoints of the real architectures, with tokenizers that are real too."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.checkpoints import WORDS, save_videoprism
from moviola.core import Frames, FrameSampler, Span, Waveform


@pytest.fixture(scope="session", autouse=True)
def _single_precision() -> Iterator[None]:
    """Everywhere the same numbers: elsewhere a tower may run in bfloat16."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moviola.encode.runtime.precision.device_precision", lambda _: "float32")
        patch.setattr(torch.backends.cudnn, "allow_tf32", False)
        yield


@pytest.fixture(scope="session")
def words() -> list[str]:
    return WORDS


@pytest.fixture(scope="session")
def make_clips() -> Callable[..., list[Frames]]:
    """Clips of noise, each of another size, as decoders give them."""

    def make(
        sampler: FrameSampler, *, count: int = 3, seconds: float = 2.0, rate: int | None = None
    ) -> list[Frames]:
        rng = np.random.default_rng(7)
        clips = []
        for number in range(count):
            span = Span(float(number), number + seconds)
            times = sampler.times(span)
            shape = (len(times), 40 + 9 * number, 60 - 7 * number, 3)
            pixels = rng.integers(0, 256, shape, np.uint8)
            sound = None
            if rate is not None:
                samples = rng.uniform(-0.5, 0.5, (1, round(seconds * rate))).astype(np.float32)
                sound = Waveform(samples, rate, span.start)
            clips.append(Frames(pixels, times, sound))
        return clips

    return make


@pytest.fixture(scope="session")
def write_json() -> Callable[[Path, object], None]:
    def write(path: Path, content: object) -> None:
        path.write_text(json.dumps(content), encoding="utf-8")

    return write


@pytest.fixture(scope="session")
def videoprism_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VideoPrism video-text model of two layers each and four frames of 36x36."""
    folder = tmp_path_factory.mktemp("videoprism")
    save_videoprism(folder)
    return folder


def _save_word_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, special[3]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    named = dict(zip(("pad_token", "cls_token", "sep_token", "unk_token"), special, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named).save_pretrained(folder)


PE_RATE, PE_HOP = 800, 8
_PE_ARGUMENTS = {
    "img_size": 28,
    "patch_size": 14,
    "embed_dim": 16,
    "depth": 2,
    "num_heads": 2,
    "attn_pool_num_heads": 4,
    "ref_feat_shape": (3, 3),
}


@pytest.fixture(scope="session")
def pe_timm_config() -> dict[str, object]:
    """How checkpoints describe the vision tower: in the words of transformers' wrapper of timm."""
    return {
        "model_type": "timm_wrapper",
        "architecture": "vit_pe_core_large_patch14_336",
        "num_classes": 8,
        "model_args": _PE_ARGUMENTS,
    }


def _pe_configs(pe_timm_config):
    from transformers import (
        PeAudioVideoConfig,
        PeAudioVideoEncoderConfig,
        PeVideoConfig,
        PeVideoEncoderConfig,
    )

    from moviola.encode.perception.vision import PeVisionConfig

    sizes = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "head_dim": 16,
    }
    audio = {
        "model_type": "pe_audio_encoder",
        **sizes,
        "dac_config": {
            "encoder_hidden_size": 8,
            "downsampling_ratios": [2, 4],
            "codebook_dim": 8,
            "hop_length": PE_HOP,
            "hidden_size": 32,
        },
    }
    text = {
        "model_type": "modernbert",
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "vocab_size": 32,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
    }
    video = PeVideoEncoderConfig(vision_config=PeVisionConfig.from_timm(pe_timm_config), **sizes)
    both = PeAudioVideoEncoderConfig(video_config=video, audio_config=audio, **sizes)
    return (
        PeVideoConfig(text_config=text, video_config=video),
        PeAudioVideoConfig(text_config=text, audio_video_config=both),
    )


def _save_pe(folder, kind, config, pe_timm_config, path_to_vision) -> Path:
    torch.manual_seed(0)
    model = kind(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights) * 0.1)
    model.save_pretrained(folder)
    content = json.loads((folder / "config.json").read_text())
    place = content
    for word in path_to_vision:
        place = place[word]
    place["vision_config"] = pe_timm_config
    (folder / "config.json").write_text(json.dumps(content))
    frames = {
        "video_processor_type": "PeVideoVideoProcessor",
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "size": {"height": 28, "width": 28},
        "resample": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "num_frames": 4,
    }
    (folder / "video_preprocessor_config.json").write_text(json.dumps(frames))
    sound = {
        "feature_extractor_type": "PeAudioFeatureExtractor",
        "sampling_rate": PE_RATE,
        "hop_length": PE_HOP,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(sound))
    _save_word_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def pe_av_folder(tmp_path_factory, pe_timm_config) -> Path:
    """A PE-AV model of two layers each, four frames of 28x28 and sound of 800 Hz."""
    from transformers import PeAudioVideoModel

    _, config = _pe_configs(pe_timm_config)
    folder = tmp_path_factory.mktemp("pe-av")
    place = ("audio_video_config", "video_config")
    return _save_pe(folder, PeAudioVideoModel, config, pe_timm_config, place)


@pytest.fixture(scope="session")
def pe_video_folder(tmp_path_factory, pe_timm_config) -> Path:
    """The same without sound."""
    from transformers import PeVideoModel

    config, _ = _pe_configs(pe_timm_config)
    folder = tmp_path_factory.mktemp("pe-video")
    return _save_pe(folder, PeVideoModel, config, pe_timm_config, ("video_config",))


VIDEO_MODULE = Path(__file__).parent / "video_module.py"


@pytest.fixture(scope="session")
def video_module():
    """The module `video_module.py` of this folder."""
    pytest.importorskip("sentence_transformers")
    spec = importlib.util.spec_from_file_location("video_module", VIDEO_MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pe_core_folder(tmp_path_factory, pe_timm_config) -> Path:
    """A PE-Core model of two layers a tower, in OpenCLIP's layout."""
    from safetensors.torch import save_file

    from fixtures.checkpoints import clip_tokenizer
    from moviola.encode.pe_core.checkpoints import CONFIG, WEIGHTS
    from moviola.encode.pe_core.model import PeCore, TextSizes
    from moviola.encode.perception.vision import PeVisionConfig

    folder = tmp_path_factory.mktemp("pe-core")
    tokenizer = clip_tokenizer()
    tokenizer.save_pretrained(folder)
    text = {"context_length": 12, "vocab_size": len(tokenizer), "width": 16, "heads": 2,
            "layers": 2}  # fmt: skip
    torch.manual_seed(3)
    towers = PeCore(PeVisionConfig.from_timm(pe_timm_config), TextSizes(**text))
    with torch.no_grad():
        for weights in towers.parameters():
            weights.add_(torch.randn_like(weights) * 0.3)
    save_file({**towers.state_dict(), "logit_scale": torch.ones(())}, folder / WEIGHTS)
    vision = {
        "timm_model_name": pe_timm_config["architecture"],
        "timm_model_kwargs": _PE_ARGUMENTS,
    }
    model = {"embed_dim": pe_timm_config["num_classes"], "vision_cfg": vision, "text_cfg": text}
    (folder / CONFIG).write_text(json.dumps({"model_cfg": model}))
    return folder
