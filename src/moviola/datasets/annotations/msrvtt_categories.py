"""Group the captions of MSR-VTT by the categories of their videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from moviola.core import RetrievalDataset
from moviola.datasets.annotations.videodatainfo import AnnotatedVideo

#: Place i is the name of category i (Xu et al., 2016), as `category.txt` of the data set spells it.
CATEGORIES = (
    "music",
    "people",
    "gaming",
    "sports/actions",
    "news/events/politics",
    "education",
    "tv shows",
    "movie/comedy",
    "animation",
    "vehicles/autos",
    "howto",
    "travel",
    "science/technology",
    "animals/pets",
    "kids/family",
    "documentary",
    "food/drink",
    "cooking",
    "beauty/fashion",
    "advertisement",
)
_BY_NUMBER = {str(number): name for number, name in enumerate(CATEGORIES)}


def with_categories(
    dataset: RetrievalDataset, videos: Mapping[str, AnnotatedVideo]
) -> RetrievalDataset:
    """Add a group such as `category: music` of the texts of each category.

    Numbers from 0 to 19 get MSR-VTT's names; what else a data set in its layout writes stands as
    it is. Where all texts are of one category it says nothing about them, and there is no group.

    Args:
        dataset: a data set whose clips are whole videos.
        videos: the annotated videos by id; clips that are not among them have no category.
    """
    members: defaultdict[str, set[str]] = defaultdict(set)
    for text, clips in dataset.qrels.relevant.items():
        for clip in clips:
            category = videos[clip].category if clip in videos else ""
            if category:
                members[_BY_NUMBER.get(category, category)].add(text)
    if len(members) < 2:
        return dataset
    found = {f"category: {name}": frozenset(members[name]) for name in sorted(members)}
    return replace(dataset, groups={**dataset.groups, **found})
