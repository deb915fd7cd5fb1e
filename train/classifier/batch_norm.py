"""Corrects the statistics of batch norm in a network that was trained for few steps.

    share = debias(network, steps=430)      # 0.0133

While training, batch norm uses the mean and variance of each batch. For use after it, it keeps moving averages, which
start at mean 0 and variance 1. After n steps the start still has the weight momentum^n. With momentum 0.99 and the 430
steps of one epoch that is 1.3 % of a variance of 1, which outweighs true variances of about 0.01: such a network
classifies far worse than its training says. The correction takes the start out, as Adam corrects its averages for
theirs (D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", 2015, section 3).
"""

import keras
import numpy as np

_NEGLIGIBLE = 1e-12  # weight of the start below which nothing is changed; reached after 2,750 steps


def debias(network: keras.Model, steps: int) -> float:
    """Takes the start values out of all moving averages, in place; returns the largest weight that they had.

    Returns 0.0 and changes nothing if there is no batch norm, or if the start no longer matters.

    Args:
        network: Any Keras model.
        steps: Number of training steps since the network was built, 1 or more.
    """
    largest = 0.0
    for layer in network.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        start = float(layer.momentum) ** steps
        if start < _NEGLIGIBLE:
            continue
        largest = max(largest, start)
        mean, variance = (value.numpy().astype(np.float64) for value in (layer.moving_mean, layer.moving_variance))
        layer.moving_mean.assign((mean / (1 - start)).astype(np.float32))
        layer.moving_variance.assign((np.maximum(variance - start, 0) / (1 - start)).astype(np.float32))
    return largest
