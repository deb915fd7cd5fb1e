import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitocr.runtime import detector as module
from digitocr.runtime import image, models
from digitocr.runtime.background import shrunk
from digitocr.runtime.boxes import iou
from digitocr.runtime.detector import Detector, decoded, detector_input
from digitocr.runtime.errors import ModelError
from digitocr.runtime.lines import reading_order
from digitocr.runtime.opencv import cv2
from digitocr.train.synthesis.pages import draw_page, random_style


@pytest.fixture(scope="module")
def detector():
    return Detector()


def overlap(one, other):
    """Intersection over union of two boxes (x, y, w, h)."""
    return iou(boxes_of(one), boxes_of(other))[0, 0]


def boxes_of(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


# What the network is given


def textured(height=70, width=110, seed=0):
    """(height, width) uint8 with much contrast everywhere."""
    return np.random.default_rng(seed).integers(20, 236, (height, width), np.uint8)


def test_a_pixel_is_held_against_the_mean_and_spread_of_a_small_and_a_large_window():
    gray = textured()
    planes = detector_input(gray)
    assert (planes.shape, planes.dtype) == ((3, 70, 110), np.float32)
    for plane, window in zip(planes[:-1], module.WINDOWS, strict=True):
        reach = window // 2
        wide = np.pad(gray.astype(np.float64), reach, "symmetric")
        for y, x in ((0, 0), (35, 50), (69, 3), (12, 109)):
            around = wide[y : y + window, x : x + window]
            expected = (gray[y, x] - around.mean()) / (around.std() + module.MIN_SPREAD)
            assert plane[y, x] == pytest.approx(expected, abs=1e-3)


def test_the_last_plane_is_against_the_whole_picture_so_that_faint_beside_strong_stays_faint():
    gray = np.full((300, 600), 220, np.uint8)
    gray[100:140, 60:66], gray[100:140, 500:506] = 40, 190
    planes = detector_input(gray)
    assert planes[0, 120, 503] < 0.7 * planes[0, 120, 63] < 0
    assert 0.1 < planes[-1, 120, 503] / planes[-1, 120, 63] < 0.2


def test_the_negative_of_a_picture_is_the_picture_with_its_signs_turned():
    np.testing.assert_allclose(detector_input(255 - textured()), -detector_input(textured()), atol=1e-3)


def test_contrast_and_light_hardly_matter_to_the_first_planes():
    gray = np.full((200, 300), 200.0)
    cv2.rectangle(gray, (100, 60), (108, 140), 40, -1)
    cv2.ellipse(gray, (170, 100), (25, 38), 0, 0, 360, 40, 9)
    fall = np.linspace(1, 0.5, 300)[None]
    plain, other = detector_input(gray.astype(np.uint8))[:2], detector_input((gray * fall).astype(np.uint8))[:2]
    ink = gray < 100
    assert plain[:, ink].mean() < -1.2
    assert abs(plain[:, ink].mean() / other[:, ink].mean() - 1) < 0.1
    assert np.corrcoef(plain[0].ravel(), other[0].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("level", [0, 127, 255])
def test_an_even_ground_is_nothing_and_faint_grain_is_little(level):
    flat = np.full((64, 96), level, np.uint8)
    assert np.abs(detector_input(flat)).max() < 1e-3
    grain = np.clip(level + np.random.default_rng(0).normal(0, 1, flat.shape), 0, 255).astype(np.uint8)
    assert np.abs(detector_input(grain)).mean() < 0.25


def test_a_lone_speck_is_not_louder_than_four():
    speck = np.full((300, 300), 200, np.uint8)
    speck[150, 150] = 0
    assert detector_input(speck).min() == -4
    assert detector_input(255 - speck).max() == 4


# What it answers


def cells(*peaks, shape=(8, 10)):
    """(5, rows, columns): far below 0 but at peaks (row, column, logit, dx, dy, log width, log height)."""
    output = np.zeros((5, *shape), np.float32)
    output[0] = -20
    for row, column, *values in peaks:
        output[:, row, column] = values
    return output


def test_a_cell_says_where_a_box_lies_in_sides_and_how_large_it_is_in_cells():
    output = cells((3, 5, 2.0, 0.25, -0.5, np.log(2), np.log(5)), (7, 0, -1.0, 0, 0, np.log(6), np.log(3)))
    boxes, scores = decoded(output)
    assert boxes.dtype == scores.dtype == np.float32
    # 8 by 20 pixels about (22 + 0.25 * 20, 14 - 0.5 * 20), and 24 by 12 about (2, 30)
    np.testing.assert_allclose(boxes, [[23, -6, 8, 20], [-10, 24, 24, 12]], atol=1e-4)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-2.0, 1.0])), rtol=1e-6)


def test_cells_below_the_least_score_are_no_candidates():
    output = cells((1, 1, 0.5, 0, 0, 1, 1), (2, 2, -0.5, 0, 0, 1, 1))
    assert len(decoded(output)[0]) == 2
    assert decoded(output, 0.5)[1].tolist() == pytest.approx([0.622459], abs=1e-5)
    assert decoded(cells())[0].shape == (0, 4)


def test_of_too_many_cells_the_strongest_are_taken(monkeypatch):
    monkeypatch.setattr(module, "MAX_CELLS", 3)
    output = cells(*((row, 2, float(row), 0, 0, 1, 1) for row in range(8)))
    assert sorted(decoded(output)[1].tolist()) == pytest.approx([1 / (1 + np.exp(-n)) for n in (5.0, 6.0, 7.0)])


@pytest.mark.filterwarnings("error")
def test_wild_sizes_stay_numbers():
    boxes, _ = decoded(cells((1, 1, 9.0, 0, 0, 900, -900)))
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > 0).all()


# The whole


class Spots:
    """In a network's place: a digit, twelve pixels wide and high, where the input stands out most, if it does."""

    def __init__(self, side=12.0):
        self.seen = []
        self.side = side

    def run(self, names, given):
        ((name, batch),) = given.items()
        assert (names, name) == (None, "image")
        assert batch.dtype == np.float32
        assert batch.shape[:2] == (1, 3)
        height, width = batch.shape[2:]
        assert height % module.MULTIPLE == width % module.MULTIPLE == 0
        self.seen.append((height, width))
        output = cells(shape=(height // 4, width // 4))
        loud = np.abs(batch[0, 1]).reshape(height // 4, 4, width // 4, 4).max((1, 3))
        if loud.max() > 1:
            output[:, *np.unravel_index(loud.argmax(), loud.shape)] = [5, 0, 0, *[np.log(self.side / 4)] * 2]
        return [output[None, :1], output[None, 1:]]


@pytest.fixture
def spots(detector, monkeypatch):
    fake = Spots()
    monkeypatch.setattr(detector, "_session", fake)
    return fake


@pytest.mark.parametrize("side", [module.COARSE, module.MIDDLE, module.FINE])
@pytest.mark.parametrize(("height", "width"), [(60, 100), (128, 30), (300, 500), (701, 333), (1500, 900), (5, 2000)])
def test_boxes_are_in_the_pixels_of_the_picture_whatever_size_it_is_seen_at(detector, spots, height, width, side):
    shrink = max(1, max(height, width) / side)
    for x, y in ((0.2, 0.7), (0.9, 0.1)):
        picture = np.full((height, width), 90, np.uint8)
        at, radius = (int(x * width), int(y * height)), round(2 * shrink)
        cv2.circle(picture, at, radius, 255, -1)
        ((left, top, wide, high),), (score,) = detector._detect_at(picture.shape, shrunk(picture, side))
        assert abs(left + wide / 2 - at[0]) < radius + 4 * shrink  # a cell
        assert wide == pytest.approx(12 * shrink, rel=0.02)
        if height > 5:  # else all rows are alike
            assert abs(top + high / 2 - at[1]) < radius + 4 * shrink
            assert high == pytest.approx(12 * shrink, rel=0.02)
        assert score == pytest.approx(1 / (1 + np.exp(-5)))


def test_a_picture_is_seen_small_and_larger_and_large_only_where_small_digits_may_be(detector, spots):
    def sizes(height, width, side, mark=20):
        """The long sides that the network sees, frames taken off, if each time it finds a digit of that side."""
        spots.seen.clear()
        spots.side = side
        picture = np.full((height, width), 90, np.uint8)
        picture[height // 2 : height // 2 + mark, width // 2 : width // 2 + mark] = 255
        boxes, _ = detector.detect(picture)
        margin = 2 * module.MARGIN
        return [8 * round((max(seen) - margin) / 8) for seen in spots.seen], boxes

    assert sizes(100, 80, 40)[0] == [104]
    assert sizes(400, 300, 40)[0] == [128, 400]
    assert sizes(1500, 2000, 40)[0] == [128, 512]
    assert sizes(1500, 2000, 60)[0] == [128]  # a close-up
    seen, boxes = sizes(1500, 2000, 12)
    assert seen == [128, 512, 1024]
    assert boxes[:, 2].max() < 12 * 2000 / 128  # what is small at the coarsest size is left to the others
    assert sizes(400, 1000, 40)[0] == [128, 512]  # the longest of normal aspect
    assert sizes(1400, 1000, 12, mark=0)[0] == [128, 512, 1024]  # nothing is found: there may be what is too small
    assert sizes(2000, 1000, 12, mark=0)[0] == [128, 512, 1024]
    # one that is tiny at 1,024 pixels and not at twice as many: all six pieces are seen
    assert sizes(1700, 2200, 8, mark=8)[0][3:] == [856] * 6
    # twice as large, in three pieces of 985x768
    assert sizes(2080, 1000, 12, mark=0)[0] == [128, 512, 1024, *[992] * 3]


@pytest.mark.parametrize(
    ("scores", "sides", "small"),
    [
        ([0.6, 0.9], [19, 30], True),  # a sure one
        ([0.4, 0.9], [19, 30], False),
        ([0.4, 0.3], [30, 30], True),  # none is sure
        ([0.9, *[0.3] * (module.FEW_SMALL - 1)], [30, *[19] * (module.FEW_SMALL - 1)], False),
        ([0.9, *[0.3] * module.FEW_SMALL], [30, *[19] * module.FEW_SMALL], True),  # small print beside large digits
        ([], [], True),
    ],
)
def test_small_digits_are_looked_for_where_one_is_sure_or_several_are_not(scores, sides, small):
    boxes = np.array([[0, 0, side, side] for side in sides], np.float32).reshape(-1, 4)
    found = [(boxes[:1], np.array(scores[:1], np.float32)), (boxes[1:], np.array(scores[1:], np.float32))]
    assert module._shows_small(found, 20) == small


def test_a_long_picture_is_seen_as_large_as_a_part_of_it_would_be(detector, spots):
    picture = np.full((40, 1000), 90, np.uint8)
    picture[10:30, 300:320] = 255
    spots.side = 15
    detector.detect(picture)
    # whole, as ten pictures of 100 by 40 at COARSE's size and at their own
    assert [max(seen) for seen in spots.seen] == [144, 1016, 1016]


def test_pieces_cover_a_side_and_no_digit_is_cut_in_the_piece_that_it_counts_in():
    for length in (5, module.PIECE, module.PIECE + 1, 1600, 3500, 8192):
        pieces = module._pieces(length)
        starts, ends, firsts, lasts = zip(*pieces, strict=True)
        assert (starts[0], ends[-1], firsts[0], lasts[-1]) == (0, length, -np.inf, np.inf)
        assert firsts[1:] == lasts[:-1]
        for start, end, first, last in pieces:
            assert end - start <= module.PIECE
            assert first == -np.inf or first - start >= module.OVERLAP / 2
            assert last == np.inf or end - last >= module.OVERLAP / 2
        assert sum(end - start for start, end, *_ in pieces) < length + len(pieces) * (module.OVERLAP + 1)


def test_all_pieces_of_a_large_picture_are_seen(detector, spots):
    spots.seen.clear()
    detector._detect_at((2000, 3000), np.full((2000, 3000), 90, np.uint8))
    assert len(spots.seen) == 3 * 4


def test_its_memory_may_be_written_to_until_the_next_picture():
    detector = Detector()
    picture = np.random.default_rng(5).integers(0, 256, (200, 300), np.uint8)
    assert detector.scratch(picture.shape) is None
    before = detector.detect(picture)
    scratch = detector.scratch(picture.shape)
    assert (scratch.shape, scratch.dtype) == (picture.shape, np.uint8)
    scratch[:] = 255
    assert all(np.array_equal(*pair) for pair in zip(before, detector.detect(picture), strict=True))
    assert detector.scratch((9000, 9000)) is None


def test_the_shipped_network_is_not_run_where_it_was_changed(tmp_path, monkeypatch):
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {module.DEFAULT_DETECTOR}\n")
    (tmp_path / module.DEFAULT_DETECTOR).write_bytes(models.shipped_model(module.DEFAULT_DETECTOR).read_bytes())
    monkeypatch.setattr(models, "MODELS", tmp_path)
    with pytest.raises(ModelError, match="SHA-256"):
        Detector()
    (tmp_path / module.DEFAULT_DETECTOR).unlink()
    with pytest.raises(ModelError, match="No such file"):
        Detector()


def test_a_detector_of_one_s_own_is_used_and_what_is_none_is_refused(detector, tmp_path):
    own = tmp_path / "own.onnx"
    own.write_bytes(models.shipped_model(module.DEFAULT_DETECTOR).read_bytes())
    assert Detector(own).sha256 == detector.sha256
    assert Detector(own).card["name"] == "detector-int8"
    with pytest.raises(ModelError, match=r"digitocr-int8\.onnx: is no detector of this version"):
        Detector(models.shipped_model("digitocr-int8.onnx"))


def network(path, given=(("image", ["N", 3, "H", "W"]),), planes=(1, 4), element="FLOAT"):
    """An ONNX file of those inputs and of outputs of so many planes, each a convolution of the first input."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    kind = getattr(TensorProto, element)
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in given]
    nodes, weights, outputs = [], [], []
    for place, count in enumerate(planes):
        kernel = np.zeros((count, given[0][1][1] if given else 3, 1, 1), np.float32)
        weights.append(onnx.numpy_helper.from_array(kernel, f"kernel{place}"))
        seen = given[0][0] if given else "nothing"
        nodes.append(helper.make_node("Conv", [seen, f"kernel{place}"], [f"cells{place}"]))
        nodes.append(helper.make_node("Cast", [f"cells{place}"], [f"output{place}"], to=kind))
        outputs.append(helper.make_tensor_value_info(f"output{place}", kind, ["N", count, "rows", "columns"]))
    if not given:
        weights.append(onnx.numpy_helper.from_array(np.zeros((1, 3, 8, 8), np.float32), "nothing"))
    graph = helper.make_graph(nodes, "foreign", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    "form",
    [
        {"given": []},
        {"given": [("picture", ["N", 3, "H", "W"])]},
        {"given": [("image", ["N", 3, "H", "W"]), ("other", ["N"])]},
        {"given": [("image", ["N", 1, "H", "W"])]},
        {"given": [("image", ["N", 3, 256, 256])]},
        {"planes": [1]},
        {"planes": [4, 1]},
        {"planes": [1, 5]},
        {"planes": [1, 4, 1]},
        {"element": "DOUBLE"},
    ],
)
def test_networks_of_another_form_are_no_detectors(form, tmp_path):
    Detector(network(tmp_path / "fits.onnx"))
    with pytest.raises(ModelError, match="is no detector of this version"):
        Detector(network(tmp_path / "foreign.onnx", **form))


def test_a_detector_whose_output_is_another_than_it_says_is_a_model_error(tmp_path):
    same_size = Detector(network(tmp_path / "fits.onnx"))  # a detector's output has a quarter of the sides
    with pytest.raises(ModelError, match=r"^fits: puts out something else than 1x1x\d+x\d+ finite numbers"):
        same_size.detect(textured())


def sure(detector, picture):
    boxes, scores = detector.detect(image.load(picture))
    return boxes[scores > 0.5]


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_drawn_digits_are_found_in_lines_in_reading_order(detector, light_on_dark):
    right = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        scene = draw_page(["407", "1293"], rng, random_style(rng, (640, 480), light_on_dark=light_on_dark))
        boxes = sure(detector, scene.image)
        lines = reading_order(boxes)
        if [len(line) for line in lines] == [3, 4]:
            read = [boxes[row] for line in lines for row in line]
            right += all(overlap(box, truth) > 0.5 for box, truth in zip(read, scene.boxes.tolist(), strict=True))
    assert right >= 10


@pytest.mark.parametrize("size", [(40, 30), (200, 300), (1200, 1600)])
def test_a_digit_alone_is_found_at_any_size(detector, size):
    height, width = size
    paper = np.full(size, 230, np.uint8)
    axes = (height // 5, height // 3)
    cv2.ellipse(paper, (width // 2, height // 2), axes, 0, 0, 360, 40, max(2, height // 20))
    (box,) = sure(detector, paper)
    assert overlap(box, (width / 2 - height / 5, height / 2 - height / 3, height / 2.5, height / 1.5)) > 0.7


def test_digits_of_eight_pixels_on_a_large_page_are_found_where_they_are(detector):
    page = Image.new("L", (1000, 700), 235)
    font = ImageFont.load_default(size=20)
    for row in range(6):
        ImageDraw.Draw(page).text((200, 100 + 60 * row), "40 71 938", 20, font)
    assert len(sure(detector, np.asarray(page))) >= 0.9 * 6 * 7


def printed(shape, size, rows, number):
    """An (H, W) page with `number` on each of `rows`, and how many digits it has."""
    page = Image.fromarray(np.full(shape, 235, np.uint8))
    font = ImageFont.load_default(size=size)
    for top in rows:
        ImageDraw.Draw(page).text((12, top), number, 20, font)
    return np.asarray(page), len(rows) * sum(map(str.isdigit, number))


@pytest.mark.parametrize(
    ("shape", "size", "rows", "number"),
    [
        ((24, 1500), 20, [0], "40815529 " * 14),  # a strip
        ((2400, 400), 20, range(10, 2350, 120), "4831 0762"),  # a receipt
        ((2400, 1700), 18, range(1400, 1700, 60), "40 71 938 " * 10),  # a scan with small print, 5 pixels at FINE
    ],
)
def test_digits_are_found_on_strips_receipts_and_large_scans(detector, shape, size, rows, number):
    page, count = printed(shape, size, rows, number)
    assert 0.95 * count <= len(sure(detector, page)) <= 1.03 * count


def blanks():
    dots = np.where((np.indices((600, 800)) // 8 % 2).all(axis=0), 255, 0).astype(np.uint8)
    yield "dots", dots
    yield "plain", np.full((300, 400), 200, np.uint8)
    yield "light that falls off", np.linspace(60, 220, 400).astype(np.uint8)[None].repeat(300, 0)
    for strength in (2, 15, 40):
        rng = np.random.default_rng(strength)
        yield f"grain of {strength}", np.clip(rng.normal(128, strength, (300, 500)), 0, 255).astype(np.uint8)
    ruled = np.full((400, 600), 230, np.uint8)
    ruled[::40] = 90
    yield "ruled", ruled
    ruled = ruled.copy()
    ruled[:, ::40] = 90
    yield "squared", ruled


@pytest.mark.parametrize("picture", [pytest.param(picture, id=name) for name, picture in blanks()])
def test_nothing_is_found_where_nothing_is(detector, picture):
    assert len(sure(detector, picture)) == 0


@pytest.mark.parametrize("shape", [(5, 5000), (5000, 5), (5, 5), (2000, 7), (28, 28)])
def test_the_narrowest_pictures_are_looked_through(detector, shape):
    boxes, scores = detector.detect(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    assert boxes.shape == (len(scores), 4)
    assert np.isfinite(boxes).all()
    assert ((scores > 0) & (scores <= 1)).all()
