import inspect
import pickle
import re

import pytest

from digitocr.runtime import errors

TREE = [thing for thing in vars(errors).values() if inspect.isclass(thing) and thing.__module__ == errors.__name__]


def test_exit_codes_are_the_documented_ones():
    codes = {
        errors.DigitocrError: 1,
        errors.UsageError: 2,
        errors.MissingLibraryError: 3,
        errors.MissingExtraError: 3,
        errors.InputError: 4,
        errors.ModelError: 5,
        errors.GateError: 6,
        errors.DeviceError: 7,
        errors.SourceOffError: 7,
        errors.NothingReadError: 8,
        errors.OutputError: 9,
        errors.ClusterError: 10,
    }
    assert {error: error.exit_code for error in TREE} == codes
    assert all(issubclass(error, errors.DigitocrError) for error in TREE)


def test_the_tree_that_is_drawn_is_the_tree_that_is():
    drawn = dict(re.findall(r"(\w+Error) +(\d+)?", errors.__doc__))
    assert set(drawn) == {error.__name__ for error in TREE}
    for error in TREE:
        if error.exit_code != error.__base__.__dict__.get("exit_code"):
            assert int(drawn[error.__name__]) == error.exit_code


def test_a_missing_extra_says_what_to_type():
    error = errors.MissingExtraError("tflite", "reading a .tflite model")
    assert (error.extra, error.why) == ("tflite", "reading a .tflite model")
    assert str(error) == (
        "reading a .tflite model needs packages that are not installed; type: pip install 'digitocr[tflite]'"
    )


@pytest.mark.parametrize("kind", TREE)
def test_errors_pass_between_processes(kind):
    error = kind("tflite", "reading") if kind is errors.MissingExtraError else kind("a.png: why")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (kind, str(error), vars(error))
