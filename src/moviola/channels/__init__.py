"""Read text with times out of videos: subtitles, writing, speech, names."""
