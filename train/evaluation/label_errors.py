"""The fifteen images of MNIST's test set whose label is held to be wrong.

C. Northcutt, A. Athalye, J. Mueller, "Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks"
(2021) showed five people each of 100 suspect images, with the label and another one. An error is an image whose label
fewer than three of them accepted. Read from the votes that the authors published: mturk/mnist_mturk.json of the
repository cleanlab/label-errors at GitHub, commit 5457895eee26e49187de5c4d6617b9de6f172221.
"""

LABEL_ERRORS: dict[int, tuple[int, int | None]] = {
    # index among the test images: the label, and what three or more of the five saw instead, None where they differ
    947: (8, 9),
    1621: (0, 6),
    1901: (9, 4),
    2130: (4, None),
    2462: (2, 0),
    2597: (5, 3),
    2654: (6, None),
    3520: (6, None),
    3558: (5, 0),
    5937: (5, 3),
    6651: (0, 6),
    6783: (1, 6),
    8527: (4, None),
    9679: (6, None),
    9729: (5, 6),
}
