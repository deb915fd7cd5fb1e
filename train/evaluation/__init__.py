"""Measuring a model: accuracy, robustness, calibration and the refusal of what is no digit."""
