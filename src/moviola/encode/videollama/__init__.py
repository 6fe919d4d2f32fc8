"""Video-LLaMA, the encoder of the reference report: exact to the original, with every readout."""

from moviola.encode.decoder_inputs import DecoderInputs, Kind, Piece
from moviola.encode.videollama.config import VideoLlamaConfig
from moviola.encode.videollama.model import VideoLlama

__all__ = ["DecoderInputs", "Kind", "Piece", "VideoLlama", "VideoLlamaConfig"]
