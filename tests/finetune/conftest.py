from __future__ import annotations

import pytest

from moviola.plugins import load_dataset
from moviola.synthetic.shapes.writing import draw, write_video


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """A table of eight shots in six small videos, two captions a shot."""
    root = tmp_path_factory.mktemp("shots")
    rows = ["video,start,end,caption"]
    for number in range(6):
        takes = draw(5, "train", number).takes[:1]
        write_video(root / f"v{number}.mp4", takes, 48)
        for start, end in ((0, 1.5), (1.5, 3))[: 2 if number < 2 else 1]:
            about = f"{takes[0].shot.things[0].colour} {number}"
            rows += [f"v{number}.mp4,{start},{end},{about} {word} {start}" for word in ("a", "b")]
    (root / "captions.csv").write_text("\n".join(rows) + "\n")
    return load_dataset("table", root / "captions.csv", "all")
