"""Check encoders, scorers and data sets that people write; a toy encoder for tests.

`check_encoder`, `check_unpooled`, `check_scorer` and `check_dataset` raise an AssertionError of one
sentence at the first thing that the rest of Moviola could not live with. Our own encoders and
data sets pass the same kits.
"""

from moviola.testing.datasets import check_dataset
from moviola.testing.echo import EchoEncoder
from moviola.testing.encoders import check_encoder
from moviola.testing.scorers import check_scorer
from moviola.testing.unpooled import check_unpooled

__all__ = ["EchoEncoder", "check_dataset", "check_encoder", "check_scorer", "check_unpooled"]
