"""Cameras, videos and streams: frames, digits followed from one to the next, lines that stay the same."""
