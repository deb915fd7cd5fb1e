from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime import models
from digitocr.runtime import recognizer as module
from digitocr.runtime.errors import ModelError
from digitocr.runtime.recognizer import (
    CLASS_COUNT,
    CLASSES,
    DIGIT,
    GAP,
    MULTIPLE,
    OTHER,
    SIGN,
    WORD,
    Recognizer,
    recognizer_input,
    seen_in_line,
    segments,
    softmax,
)

BRIGHT = 7  # the class of bright columns, for the network of these tests
SLOPE = 20.0  # of its logit


def network(path, name="image", rows=32, width="W", planes=2, output="logits", channels=2 * CLASS_COUNT, kind="FLOAT"):
    """An ONNX file: a column of 2 pixels is of the class BRIGHT if it is bright, else gap."""
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.zeros((channels, planes, rows, 4), np.float32)
    bias = np.zeros(channels, np.float32)
    for half in range(channels // CLASS_COUNT):
        kernel[half * CLASS_COUNT + BRIGHT, 0, :, 2 * half : 2 * half + 2] = SLOPE / (2 * rows)
        bias[half * CLASS_COUNT + GAP] = SLOPE / 2
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", planes, rows, width]),
        helper.make_tensor_value_info(output, getattr(TensorProto, kind), ["N", channels, 1, "columns"]),
    ]
    nodes = [
        helper.make_node("Conv", [name, "kernel", "bias"], ["cells"], strides=[1, 4]),
        helper.make_node("Cast", ["cells"], [output], to=getattr(TensorProto, kind)),
    ]
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(bias, "bias")]
    graph = helper.make_graph(nodes, "foreign", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"digitocr": '{"name": "own"}'})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    return Recognizer(network(tmp_path_factory.mktemp("recognizer") / "own.onnx"))


# The network


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 64, 333])
def test_a_column_stands_for_two_pixels_from_left_to_right(recognizer, width):
    bright = np.random.default_rng(width).random(-(-width // 2)) < 0.5
    bright[:1] = True
    strip = np.where(bright.repeat(2)[:width], 200, 30).astype(np.uint8)[None].repeat(32, 0)
    (columns,) = recognizer.columns([strip])
    assert columns.shape == (len(bright), CLASS_COUNT)
    assert columns.dtype == np.float32
    np.testing.assert_allclose(columns.sum(1), 1, rtol=1e-5)
    if width > 2:  # else there is no contrast
        np.testing.assert_array_equal(columns.argmax(1), np.where(bright, BRIGHT, GAP))


def test_strips_are_read_in_the_order_given_and_each_by_itself(recognizer):
    rng = np.random.default_rng(0)
    strips = [rng.integers(0, 256, (32, width), np.uint8) for width in (40, 8, 41, 320, 40)]
    together = recognizer.columns(strips)
    assert [len(columns) for columns in together] == [20, 4, 21, 160, 20]
    for strip, columns in zip(strips, together, strict=True):
        np.testing.assert_array_equal(recognizer.columns([strip])[0], columns)
    assert recognizer.columns([]) == []


def test_a_strip_is_widened_by_its_last_column(recognizer, monkeypatch):
    seen = []

    def run(_, inputs):
        seen.append(inputs["image"])
        return [np.zeros((1, 2 * CLASS_COUNT, 1, inputs["image"].shape[3] // 4), np.float32)]

    monkeypatch.setattr(recognizer, "_session", SimpleNamespace(run=run))
    strip = np.random.default_rng(0).integers(0, 256, (32, 13), np.uint8)
    recognizer.columns([strip])
    wide = np.concatenate([strip, strip[:, -1:].repeat(3, 1)], 1)
    assert wide.shape[1] % MULTIPLE == 0
    np.testing.assert_array_equal(seen[0][0], recognizer_input(wide))


def test_a_recognizer_of_one_s_own_is_used_and_knows_its_card(recognizer):
    assert recognizer.card == {"name": "own"}
    assert len(recognizer.sha256) == 64


@pytest.mark.parametrize(
    "form",
    [
        {"name": "picture"},
        {"output": "columns of logits"},
        {"rows": 28},
        {"width": 320},
        {"planes": 1},
        {"channels": CLASS_COUNT},
        {"kind": "DOUBLE"},
    ],
)
def test_networks_of_another_form_are_no_recognizers(form, tmp_path):
    with pytest.raises(ModelError, match=r"foreign\.onnx: is no recognizer of this version"):
        Recognizer(network(tmp_path / "foreign.onnx", **form))


def test_other_models_are_no_recognizers():
    for name in ("digitocr-int8.onnx", "detector-int8.onnx"):
        with pytest.raises(ModelError, match=rf"{name}: is no recognizer of this version"):
            Recognizer(models.shipped_model(name))


def test_the_shipped_network_is_not_run_where_it_was_changed(tmp_path, monkeypatch):
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {module.DEFAULT_RECOGNIZER}\n")
    network(tmp_path / module.DEFAULT_RECOGNIZER)
    monkeypatch.setattr(models, "MODELS", tmp_path)
    with pytest.raises(ModelError, match="SHA-256"):
        Recognizer()


# What the network is given

strips = st.tuples(st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(1, 256)).map(
    lambda drawn: np.random.default_rng(drawn[1]).integers(0, drawn[2], (32, drawn[0]), np.uint8)
)
laws = settings(derandomize=True, deadline=None, max_examples=60)


@laws
@given(strips)
def test_levels_are_between_0_and_1_whatever_the_strip(strip):
    planes = recognizer_input(strip)
    assert planes.shape == (2, *strip.shape)
    assert planes.dtype == np.float32
    assert 0 <= planes.min() <= planes.max() <= 1


@laws
@given(strips, st.integers(2, 4), st.integers(0, 15))
def test_gain_and_brightness_do_not_matter(strip, gain, offset):
    strip = np.minimum(strip, 60)
    strip[:8], strip[8:16] = 0, 60  # enough contrast
    one, other = recognizer_input(strip), recognizer_input(strip * np.uint8(gain) + np.uint8(offset))
    np.testing.assert_allclose(one[0], other[0], atol=1e-5)
    shifted = recognizer_input(strip + np.uint8(offset))
    np.testing.assert_allclose(one[1], shifted[1], atol=2e-3)  # OpenCV's sums are float32


def test_most_levels_are_kept_and_the_darkest_and_brightest_are_cut_off():
    image, _ = recognizer_input(np.tile(np.arange(100, dtype=np.uint8), (32, 4)))
    assert (image == 0).mean() == pytest.approx(module.LOW, abs=0.025)
    assert (image == 1).mean() == pytest.approx(1 - module.HIGH, abs=0.025)
    assert (np.diff(image[0, :100]) >= 0).all()


def test_the_grain_of_an_empty_strip_stays_faint():
    grain = np.random.default_rng(0).integers(100, 103, (32, 64), np.uint8)
    stretched, local = recognizer_input(grain)
    assert np.ptp(stretched) <= 2 / module.MIN_CONTRAST + 1e-6
    assert np.ptp(local) <= 2 / (module.MAX_SPREADS * module.MIN_SPREAD)
    assert np.ptp(recognizer_input(np.full((32, 9), 7, np.uint8)), axis=(1, 2)).max() < 1e-3


def test_writing_in_a_shadow_has_contrast_in_the_second_plane():
    strip = np.full((32, 320), 240, np.uint8)
    strip[:, 160:] = 40
    strip[8:24, 60:64], strip[8:24, 260:264] = 20, 30
    stretched, local = recognizer_input(strip)
    for plane in (stretched, local):
        assert plane[16, 50] - plane[16, 62] > 0.3  # in the light
    assert stretched[16, 250] - stretched[16, 262] < 0.1
    assert local[16, 250] - local[16, 262] > 0.2


@laws
@given(strips)
def test_the_negative_is_the_negative_in_the_second_plane(strip):
    np.testing.assert_allclose(recognizer_input(255 - strip)[1], 1 - recognizer_input(strip)[1], atol=5e-3)


def test_softmax_gives_probabilities_and_does_not_overflow():
    logits = np.array([[0, np.log(3)], [1e4, -1e4]], np.float32)
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.75], [1, 0]], rtol=1e-6)


# Its columns as characters


def line(text, sure=0.9):
    """A column for each character: of CLASSES, "*" for other, " " for a gap; the rest of each goes to all classes."""
    labels = [
        CLASSES.index(character) if character in CLASSES else OTHER if character == "*" else GAP for character in text
    ]
    return (np.eye(CLASS_COUNT)[labels] * sure + (1 - sure) / CLASS_COUNT).astype(np.float32)


def told(columns):
    """The segments as (first column, column behind the last, character)."""
    names = [*CLASSES, "*", " "]
    return [(one.left, one.right, names[int(one.probabilities.argmax())]) for one in segments(columns)]


def test_characters_are_runs_of_columns_between_gaps():
    assert told(line("  44 00  7 ")) == [(2, 4, "4"), (5, 7, "0"), (9, 10, "7")]
    assert told(line("")) == told(line("   ")) == []


def test_a_gap_alone_parts_equal_digits():
    assert told(line("11 11")) == [(0, 2, "1"), (3, 5, "1")]
    assert told(line("1111")) == [(0, 4, "1")]


def test_different_digits_need_no_gap_where_both_are_sure():
    assert told(line("1122")) == [(0, 2, "1"), (2, 4, "2")]
    assert told(line(".:")) == [(0, 1, "."), (1, 2, ":")]
    unsure = line("3388", sure=0.5)
    assert [(one.left, one.right) for one in segments(unsure)] == [(0, 4)]


def test_digits_signs_and_words_are_never_one():
    columns = line("12***.5**")
    assert told(columns) == [(0, 1, "1"), (1, 2, "2"), (2, 5, "*"), (5, 6, "."), (6, 7, "5"), (7, 9, "*")]
    assert [one.kind for one in segments(columns)] == [DIGIT, DIGIT, WORD, SIGN, DIGIT, WORD]


def test_a_slash_that_is_seen_as_a_1_in_some_columns_is_one_character():
    assert told(line("1///")) == [(0, 4, "/")]
    assert told(line("11/")) == [(0, 3, "1")]
    assert told(line("1 /")) == [(0, 1, "1"), (2, 3, "/")]
    assert told(line("7/")) == [(0, 1, "7"), (1, 2, "/")]


def test_an_unsure_column_does_not_join_a_digit_with_a_1():
    columns = line("441")
    columns[1] = 0
    columns[1, [4, 1]] = 0.4, 0.6 - 1e-3  # not sure, and more like a 1
    assert [(one.left, one.right) for one in segments(columns)] == [(0, 2), (2, 3)]


def test_a_digit_is_one_even_if_it_is_not_known_which():
    columns = np.full((1, CLASS_COUNT), 0.01, np.float32)
    columns[0, [3, 8, GAP]] = 0.3, 0.25, 0.31
    (one,) = segments(columns)
    assert (one.left, one.right, one.kind) == (0, 1, DIGIT)
    np.testing.assert_array_equal(one.probabilities, columns[0])


@laws
@given(st.integers(0, 60), st.integers(0, 2**32 - 1), st.floats(0.2, 8))
def test_every_column_with_writing_is_in_one_segment_and_no_gap_is(count, seed, contrast):
    rng = np.random.default_rng(seed)
    columns = softmax(contrast * rng.normal(0, 1, (count, CLASS_COUNT)).astype(np.float32))
    found = segments(columns)
    inside = np.zeros(count, int)
    for one in found:
        assert 0 <= one.left < one.right <= count
        inside[one.left : one.right] += 1
        np.testing.assert_allclose(one.probabilities, columns[one.left : one.right].mean(0), rtol=1e-5)
        assert one.kind in (DIGIT, SIGN, WORD)
    kinds = np.stack([columns[:, :10].sum(1), columns[:, 10:OTHER].sum(1), columns[:, OTHER], columns[:, GAP]], 1)
    np.testing.assert_array_equal(inside, kinds.argmax(1) != 3)
    assert [one.left for one in found] == sorted(one.left for one in found)


def test_what_is_seen_in_a_place_is_said_unless_it_is_a_digit():
    said = [seen_in_line(line(character)[0]) for character in "7.* "]
    assert said[0] == ""
    assert said[1].startswith("is the sign . in its line (0.9")
    assert said[2].startswith("is a letter or another sign in its line (0.9")
    assert said[3].startswith("is no character of its line (0.9")
