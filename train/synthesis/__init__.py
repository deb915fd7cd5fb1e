"""Synthetic pictures: strokes, fonts, layouts, cameras; scenes to train with and pages to test with."""
