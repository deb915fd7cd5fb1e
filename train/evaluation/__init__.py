"""Measuring a model: its accuracy and robustness, its calibration, and whether it refuses images without a digit."""
