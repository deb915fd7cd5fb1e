"""The fifteen images of MNIST's test set whose label is considered wrong.

C. Northcutt, A. Athalye, J. Mueller, "Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks"
(2021) showed 100 suspect images to five people each, with the label and an alternative. An image counts as an error
where fewer than three of them accepted the label. Taken from the votes that the authors published:
mturk/mnist_mturk.json of the repository cleanlab/label-errors at GitHub, commit
5457895eee26e49187de5c4d6617b9de6f172221.
"""

LABEL_ERRORS: dict[int, tuple[int, int | None]] = {
    # index among the test images: (label, the digit that three or more of the five saw instead; None if they disagree)
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
