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
KINDS = ("clip", "metaclip_2", "siglip", "xclip")
TEXTS = ["a red dog", "the blue square moves left", "A dog, on the table!", "two words " * 50]


def frames() -> np.ndarray:
    """Two clips `(2, 8, 40, 64, 3)` uint8 of coarse noise, which survives resizing."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (2, 8, 10, 16, 3), np.uint8)
    return coarse.repeat(4, axis=2).repeat(4, axis=3)


def digest(folder: Path) -> str:
    """Of the weights, by name: two environments may not make the same from one seed."""
    tensors = load_file(folder / "model.safetensors")
    return hashlib.sha256(b"".join(tensors[name].tobytes() for name in sorted(tensors))).hexdigest()


def main() -> None:
    """Writes texts `(4, D)`, videos (X-CLIP) or frames, and the digest of the weights, by kind."""
    sys.path.insert(0, str(HERE.parent))
    import torch
    from mteb.models.model_implementations import (
        clip_models,
        metaclip_models,
        siglip_models,
        xclip_models,
    )
    from PIL import Image

    from fixtures.checkpoints import save_checkpoint

    wrappers = {
        "clip": clip_models.CLIPModel,
        "metaclip_2": metaclip_models.MetaClip2Model,
        "siglip": siglip_models.SiglipModelWrapper,
        "xclip": xclip_models.XCLIPModel,
    }
    found: dict[str, np.ndarray] = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / kind
            save_checkpoint(kind, folder)
            wrapper = wrappers[kind](str(folder), None, device="cpu")
            wrapper.model.eval()
            found[f"{kind}-texts"] = wrapper.get_text_embeddings(
                [{"text": TEXTS}], show_progress_bar=False
            ).numpy()
            if kind == "xclip":
                videos = [torch.from_numpy(clip).permute(0, 3, 1, 2) for clip in frames()]
                rows = wrapper.get_video_embeddings([{"video": videos}], show_progress_bar=False)
            else:
                images = [Image.fromarray(frame) for clip in frames() for frame in clip]
                rows = wrapper.get_image_embeddings([{"image": images}], show_progress_bar=False)
            found[f"{kind}-videos"] = rows.numpy()
            found[f"{kind}-weights"] = np.array(digest(folder))
    np.savez_compressed(VECTORS, **found)


if __name__ == "__main__":
    main()
