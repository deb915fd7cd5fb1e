"""Frames: the command webcam, its window, its page, its recordings."""
