"""Training: MNIST, the paper's networks, runs, metrics, drawn scenes. Needs the extra `train`."""
