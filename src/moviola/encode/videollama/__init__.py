"""Video-LLaMA, the encoder of the reference report: exact to the original, with every readout."""

from moviola.encode.videollama.config import VideoLlamaConfig
from moviola.encode.videollama.inputs import Kind, LlamaInputs, Piece
from moviola.encode.videollama.model import VideoLlama

__all__ = ["Kind", "LlamaInputs", "Piece", "VideoLlama", "VideoLlamaConfig"]
