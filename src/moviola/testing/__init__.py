"""Kits of checks for people who write encoders and data sets, and a toy encoder for tests.

`check_encoder`, `check_unpooled` and `check_dataset` raise an AssertionError of one sentence at the
first thing that the rest of Moviola could not live with. Our own encoders and data sets pass the
same kits.
"""

from moviola.testing.datasets import check_dataset
from moviola.testing.echo import EchoEncoder
from moviola.testing.encoders import check_encoder
from moviola.testing.unpooled import check_unpooled

__all__ = ["EchoEncoder", "check_dataset", "check_encoder", "check_unpooled"]
