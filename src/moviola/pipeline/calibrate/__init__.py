"""Make a calibration of a library from a user's own pairs of captions and videos."""
