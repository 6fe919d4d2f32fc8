"""Makes `mteb_vectors.npz`: tiny models read by mteb's own wrappers.

Run in an environment of its own, with torch, torchvision, mteb and pytest, from the repository:
`python tests/integrations/mteb_vectors.py`. `test_mteb_parity` compares ours with what it wrote.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

HERE = Path(__file__).parent
VECTORS = HERE / "mteb_vectors.npz"
KINDS = ("clip", "metaclip_2", "siglip", "videoprism", "xclip")
_TEXTS = ["a red dog", "the blue square moves left", "A dog, on the table!"]
_LONG = {"videoprism": "the red square moves left " * 5}


def texts(kind: str) -> list[str]:
    """Three texts, and one that is longer than the model reads."""
    return [*_TEXTS, _LONG.get(kind, "two words " * 50)]


def frames(kind: str) -> np.ndarray:
    """Two clips `(2, T, 40, 64, 3)` uint8 of coarse noise; the tiny VideoPrism reads 4 frames."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (2, 8, 10, 16, 3), np.uint8)
    whole = coarse.repeat(4, axis=2).repeat(4, axis=3)
    return whole[:, :4] if kind == "videoprism" else whole


def digest(folder: Path) -> str:
    """Of the weights, by name: two environments may not make the same from one seed."""
    tensors = load_file(folder / "model.safetensors")
    return hashlib.sha256(b"".join(tensors[name].tobytes() for name in sorted(tensors))).hexdigest()


def main() -> None:
    """Writes by kind: texts `(4, D)`, videos (or frames of image models), digest of the weights."""
    sys.path.insert(0, str(HERE.parent))
    import torch
    from mteb.models.model_implementations import (
        clip_models,
        metaclip_models,
        siglip_models,
        videoprism_models,
        xclip_models,
    )
    from PIL import Image
    from transformers import LlavaOnevisionVideoProcessor
    from transformers.models.videoprism.processing_videoprism import VideoPrismProcessor

    from fixtures.checkpoints import save_checkpoint, save_videoprism

    wrappers = {
        "clip": clip_models.CLIPModel,
        "metaclip_2": metaclip_models.MetaClip2Model,
        "siglip": siglip_models.SiglipModelWrapper,
        "videoprism": videoprism_models.VideoPrismClipWrapper,
        "xclip": xclip_models.XCLIPModel,
    }
    # The wrapper and the processor take the sizes of the published models for granted.
    videoprism_models.MAX_TEXT_TOKENS = 16
    size = {"height": 36, "width": 36}
    VideoPrismProcessor.video_kwargs = {**VideoPrismProcessor.video_kwargs, "size": size}
    found: dict[str, np.ndarray] = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / kind
            if kind == "videoprism":
                save_videoprism(folder)
                processor = LlavaOnevisionVideoProcessor(size=size, do_normalize=False, resample=3)
                processor.save_pretrained(folder)
            else:
                save_checkpoint(kind, folder)
            wrapper = wrappers[kind](str(folder), None, device="cpu")
            wrapper.model.eval()
            found[f"{kind}-texts"] = wrapper.get_text_embeddings(
                [{"text": texts(kind)}], show_progress_bar=False
            ).numpy()
            if kind in {"xclip", "videoprism"}:
                videos = [torch.from_numpy(clip).permute(0, 3, 1, 2) for clip in frames(kind)]
                rows = wrapper.get_video_embeddings([{"video": videos}], show_progress_bar=False)
            else:
                images = [Image.fromarray(frame) for clip in frames(kind) for frame in clip]
                rows = wrapper.get_image_embeddings([{"image": images}], show_progress_bar=False)
            found[f"{kind}-videos"] = rows.numpy()
            found[f"{kind}-weights"] = np.array(digest(folder))
    np.savez_compressed(VECTORS, **found)


if __name__ == "__main__":
    main()
