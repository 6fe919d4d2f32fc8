"""Check encoders, scorers, data sets and channels that people write; toys for tests.

`check_encoder`, `check_unpooled`, `check_scorer`, `check_dataset` and `check_channel` raise an
AssertionError of one sentence at the first thing that the rest of Moviola could not live with. Our
own encoders, data sets and channels pass the same kits.
"""

from moviola.testing.channels import MemoryTools, check_channel
from moviola.testing.datasets import check_dataset
from moviola.testing.echo import EchoEncoder
from moviola.testing.encoders import check_encoder
from moviola.testing.scorers import check_scorer
from moviola.testing.unpooled import check_unpooled

__all__ = [
    "EchoEncoder",
    "MemoryTools",
    "check_channel",
    "check_dataset",
    "check_encoder",
    "check_scorer",
    "check_unpooled",
]
