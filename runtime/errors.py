"""What can go wrong, as one tree. Each class carries the exit code that the command line ends with.

    DigitocrError            1  (a bug, when nothing below fits)
    |-- UsageError           2  an argument that makes no sense
    |-- MissingLibraryError  3  a library of the system is not installed
    |   `-- MissingExtraError   an extra of digitocr is not installed
    |-- InputError           4  a picture or a data set that cannot be read
    |-- ModelError           5  a model file that cannot be used
    |-- GateError            6  an accuracy or parity gate refused the result
    |-- DeviceError          7  no camera, no stream or no display
    |-- NothingReadError     8  nothing recognised, where that was asked for
    |-- OutputError          9  a result that cannot be written
    `-- ClusterError        10  a cluster that cannot be reached, or that lost all its workers

Every message is one line: what happened, why, what to do. Every error can be pickled, as between processes.
"""


class DigitocrError(Exception):
    """The root of the tree: catch this one to catch all."""

    exit_code = 1


class UsageError(DigitocrError):
    exit_code = 2


class MissingLibraryError(DigitocrError):
    exit_code = 3


class MissingExtraError(MissingLibraryError):
    """extra: the name of the extra of digitocr that brings what is missing; why: what it is needed for."""

    def __init__(self, extra: str, why: str) -> None:
        super().__init__(extra, why)

    def __str__(self) -> str:
        extra, why = self.args
        return f"{why} needs packages that are not installed; type: pip install 'digitocr[{extra}]'"


class InputError(DigitocrError):
    exit_code = 4


class ModelError(DigitocrError):
    exit_code = 5


class GateError(DigitocrError):
    exit_code = 6


class DeviceError(DigitocrError):
    exit_code = 7


class NothingReadError(DigitocrError):
    exit_code = 8


class OutputError(DigitocrError):
    exit_code = 9


class ClusterError(DigitocrError):
    exit_code = 10
