from importlib import import_module, metadata

import pytest

import digitocr


def test_all_is_true():
    for name in digitocr.__all__:
        assert getattr(digitocr, name) is not None
    star: dict[str, object] = {}
    exec("from digitocr import *", star)
    assert star.keys() - {"__builtins__"} == set(digitocr.__all__)


def test_nothing_public_is_missing_from_all():
    classes = {
        name
        for module in ("reader", "reading", "live.video")
        for name, thing in vars(import_module(f"digitocr.runtime.{module}")).items()
        if isinstance(thing, type) and thing.__module__ == f"digitocr.runtime.{module}" and name[0] != "_"
    }
    assert classes | {"DigitocrError", "__version__"} == set(digitocr.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'digitocr' has no attribute 'read'"):
        _ = digitocr.read


def test_the_version_is_that_of_the_distribution():
    try:
        installed = metadata.version("digitocr")
    except metadata.PackageNotFoundError:
        pytest.skip("digitocr is not installed here")
    assert digitocr.__version__ == installed
