"""All errors that digitocr raises on purpose, as one tree.

Each class carries the exit code that the command line ends with:

    DigitocrError            1  an error of none of the kinds below
    |-- UsageError           2  an argument makes no sense
    |-- MissingLibraryError  3  a library of the system is not installed
    |   `-- MissingExtraError   an extra of digitocr is not installed
    |-- InputError           4  a picture or a data set cannot be read
    |-- ModelError           5  a model file cannot be used
    |-- GateError            6  a gate refused: accuracy, parity, or data that are not fit to train with
    |-- DeviceError          7  there is no camera, no stream or no display
    |   `-- SourceOffError        a camera or a stream does not answer at the moment
    |-- NothingReadError     8  nothing was recognised, and that was asked to be an error
    |-- OutputError          9  a result cannot be written
    `-- ClusterError        10  a cluster cannot be reached, or has lost all its workers

Every message is one line: what happened, why, what to do. Every error can be pickled, as between processes.
"""

from typing import ClassVar


class DigitocrError(Exception):
    """The root of the tree; catching it catches every error that digitocr raises on purpose.

    Attributes:
        exit_code: The exit code of the command line, 1 to 10.
    """

    exit_code: ClassVar[int] = 1


class UsageError(DigitocrError):
    """An argument or a setting makes no sense."""

    exit_code = 2


class MissingLibraryError(DigitocrError):
    """A library of the system is not installed."""

    exit_code = 3


class MissingExtraError(MissingLibraryError):
    """An extra of digitocr is not installed.

    Attributes:
        extra: The name of the extra that brings what is missing.
        why: What it is needed for.
    """

    def __init__(self, extra: str, why: str) -> None:
        super().__init__(extra, why)
        self.extra = extra
        self.why = why

    def __str__(self) -> str:
        return f"{self.why} needs packages that are not installed; type: pip install 'digitocr[{self.extra}]'"


class InputError(DigitocrError):
    """A picture, a video or a data set cannot be read."""

    exit_code = 4


class ModelError(DigitocrError):
    """A model file cannot be used."""

    exit_code = 5


class GateError(DigitocrError):
    """A gate refused a result: its accuracy, its parity with Keras, or data that are not fit to train with."""

    exit_code = 6


class DeviceError(DigitocrError):
    """There is no such camera, stream or display, or it has been lost."""

    exit_code = 7


class SourceOffError(DeviceError):
    """A camera or a stream does not answer, or has stopped to send; it may do so again."""


class NothingReadError(DigitocrError):
    """Nothing was recognised, and that was asked to be an error."""

    exit_code = 8


class OutputError(DigitocrError):
    """A result cannot be written."""

    exit_code = 9


class ClusterError(DigitocrError):
    """A cluster cannot be reached, or has lost all its workers."""

    exit_code = 10
