"""Write the model card of a head from the record of its fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moviola.align.head.card import HeadCard


def model_card(card: HeadCard) -> str:
    """Write Markdown with the metadata that the hub reads."""
    fit = card.fit
    texts, clips = (_side_of(side) for side in (card.texts, card.clips))
    lines = [
        "---",
        "library_name: moviola",
        "pipeline_tag: feature-extraction",
        "tags: [moviola, text-to-video-retrieval, alignment]",
        "---",
        "",
        "# A Moviola head",
        "",
        f"It maps frozen embeddings of texts ({texts}) and of videos ({clips}) into one space.",
        "",
        "```python",
        "from moviola.align import Aligner",
        "",
        'head = Aligner.from_pretrained("this/repository")',
        "texts, clips = head.align_texts(texts), head.align_clips(clips)",
        "```",
        "",
        f"* Kind: {card.kind}; weights: {card.head}",
        *(f"* {name}: {_sentence(value)}" for name, value in fit.items() if _is_short(value)),
        "",
    ]
    return "\n".join(lines)


def _side_of(side: Mapping[str, Any]) -> str:
    space, readout = side["space"], side["readout"]
    model = space["model"] or "bare arrays"
    return f"{model}, {space['dimension']} numbers, pooled by {readout['pooling']}"


def _is_short(value: Any) -> bool:
    return value is not None and len(str(value)) < 500


def _sentence(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_sentence(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(map(_sentence, value)) or "none"
    return str(value)
