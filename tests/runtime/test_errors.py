import pickle

from digitocr.runtime import errors


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
        errors.NothingReadError: 8,
        errors.OutputError: 9,
        errors.ClusterError: 10,
    }
    assert {error: error.exit_code for error in codes} == codes
    assert all(issubclass(error, errors.DigitocrError) for error in codes)


def test_a_missing_extra_says_what_to_type():
    error = errors.MissingExtraError("tflite", "reading a .tflite model")
    assert str(error) == (
        "reading a .tflite model needs packages that are not installed; type: pip install 'digitocr[tflite]'"
    )


def test_errors_pass_between_processes():
    for error in (errors.MissingExtraError("tflite", "reading"), errors.InputError("a.png: why")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
