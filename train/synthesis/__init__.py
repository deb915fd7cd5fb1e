"""Synthetic pictures: strokes, fonts, layouts and a camera make scenes to train with and pages to test with."""
