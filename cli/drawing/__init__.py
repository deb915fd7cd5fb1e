"""The command webcam: its loop over frames, its window, its page for browsers and its recordings."""
