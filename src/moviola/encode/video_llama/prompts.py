"""The words around a video, as the demo and the reference report put them.

A prompt is a string that holds `<ImageHere>` where vectors go. It is split there, and each piece
is tokenised alone, so that every piece begins with the tokenizer's word boundary.
"""

from __future__ import annotations

from collections.abc import Sequence

IMAGE = "<ImageHere>"
VIDEO_MARKS = f"<Video>{IMAGE}</Video> "
STILL_MARKS = f"<Image>{IMAGE}</Image> "

#: What the Llama-2 variants are told first; the demos leave it out for videos.
LLAMA2_SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual "
    "content that the user provides, and assist the user with a variety of tasks using natural "
    "language."
)


def frames_message(times: Sequence[float]) -> str:
    """Tell how many frames were sampled and when (seconds, one decimal), with a space behind it."""
    # Timestamps are sums of floats; what lies on half a tenth must not fall to either side by them.
    told = ", ".join(str(round(round(float(time), 6), 1)) for time in times)
    return f"The video contains {len(times)} frames sampled at {told} seconds. "


def sound_and_video_message() -> str:
    """Write what is said of a video with its sound; the sound's vectors come first.

    The runs of spaces are the original's: its lines were continued inside the string.
    """
    return (
        "Close your eyes, open your ears and you imagine only based on the sound that: "
        f"{IMAGE}.{' ' * 17}Close your ears, open your eyes and you see that "
        f"<Video>{IMAGE}</Video>.{' ' * 18}Now answer my question based on what you have just "
        "seen and heard."
    )


def vicuna_prompt(message: str, system: str = "") -> str:
    """Write `message` as the human's words, and the assistant's turn, in the form of Vicuna v0."""
    return f"{system}###Human: {message}###Assistant:"


def llama2_prompt(message: str, system: str = "") -> str:
    """Write `message` as a user's words in the form of Llama-2-chat."""
    return f"[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{message} [/INST]"
