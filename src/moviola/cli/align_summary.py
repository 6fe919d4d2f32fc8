"""The record of a fit in lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def lines_of(record: Mapping[str, Any]) -> list[str]:
    """What was fitted, how well it does, and beside what."""
    val, data, figures = record["val"], record["data"], record["figures"]
    intervals = val["intervals"]
    low, high = intervals["MRR"]
    said = [
        (
            f"{record['method']}: {data['texts']:,} captions of {data['videos']:,} videos, "
            f"{record['seconds']:.1f} s"
        ),
        (
            f"held out: R@1 {val['R@1']:.1f}  R@5 {val['R@5']:.1f}  R@10 {val['R@10']:.1f}  "
            f"MdR {val['MdR']:.0f}  MRR {val['MRR']:.4f} [{low:.4f}, {high:.4f}]  "
            f"({val['n_queries']:,} captions, {val['n_gallery']:,} videos; chance MRR "
            f"{record['chance_MRR']:.4f})"
        ),
        f"loss {figures['loss']:.3f}, of the best constant {figures['constant_loss']:.3f}",
    ]
    test = record["test"]
    if test is not None:
        rows = test["t2v"]
        said.append(
            f"test: R@1 {rows['R@1'][0]:.1f} [{rows['R@1'][1]:.1f}, {rows['R@1'][2]:.1f}]  "
            f"MRR {rows['MRR'][0]:.4f} [{rows['MRR'][1]:.4f}, {rows['MRR'][2]:.4f}]  "
            f"({test['n_queries']:,} captions, {test['n_gallery']:,} videos)"
        )
    return said
