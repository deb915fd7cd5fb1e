import cv2
import numpy as np
import pytest

from digitocr.runtime.background import shadeless
from digitocr.runtime.image import load
from digitocr.runtime.preprocessing import images
from digitocr.train.sources.labelled import NONE, Gathered, digit_image
from digitocr.train.sources.pictures import add_entries
from digitocr.train.sources.tables import Entry
from digitocr.train.synthesis.pages import Style, draw_page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with 407 and 82 on lines of their own: its path, and the boxes of its digits."""
    drawn = draw_page(["407", "82"], np.random.default_rng(5), Style((320, 240), digit_height=60))
    path = tmp_path_factory.mktemp("page") / "page.png"
    assert cv2.imwrite(str(path), drawn.image[:, :, ::-1])
    return str(path), tuple(tuple(map(float, box)) for box in drawn.boxes.tolist())


def gathered(*entries):
    made = Gathered("here")
    add_entries(entries, made)
    return made


def test_lone_pictures(folder, draw):
    made = gathered(Entry(f"{folder}/3/2.png", "name", 3, group="g", part="test"))
    assert np.array_equal(made.images[0][0], draw(3, 2))
    assert (made.labels, made.names, made.groups, made.parts) == ([3], ["name"], ["g"], ["test"])


def test_files_that_cannot_be_read_are_told(folder, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    whole = (folder / "3" / "2.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:60])
    names = ["text.png", "cut.png", "none.png"]
    made = gathered(*(Entry(str(tmp_path / name), name, 3) for name in names), Entry(str(tmp_path), "w", text="4"))
    assert made.names == []
    assert [(one.kind, one.name) for one in made.troubles] == [("unreadable", name) for name in [*names, "w"]]
    assert not made.troubles[0].why.startswith(str(tmp_path))  # the name says it


def test_digits_are_cut_out_at_their_boxes_as_the_reader_does(page):
    path, boxes = page
    made = gathered(Entry(path, "page", text="407\n82", boxes=boxes))
    gray = load(path)
    expected = images(shadeless(gray, np.array(boxes, np.float32)), np.array(boxes, np.float32))
    assert np.array_equal(np.concatenate(made.images), expected)
    assert made.labels == [4, 0, 7, 8, 2]
    assert made.groups == [path] * 5  # digits of one picture stay together
    x, y, w, h = map(round, boxes[2])
    assert made.names[2] == f"page, box {x},{y},{w},{h}"
    assert made.bright == 0


def test_doubtful_places_are_left_out_and_without_a_text_the_boxes_show_no_digit(page):
    path, boxes = page
    assert gathered(Entry(path, "page", text="4?7\n82", boxes=boxes)).labels == [4, 7, 8, 2]
    made = gathered(Entry(path, "page", text="", boxes=boxes[:2], group="meter"))
    assert (made.labels, made.groups) == ([NONE, NONE], ["meter", "meter"])


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_crops_of_a_turned_picture_are_upright(degrees, page, tmp_path, write):
    path, boxes = page
    turned = np.rot90(load(path), degrees // 90)  # turning it clockwise makes it upright
    height, width = load(path).shape
    x, y, w, h = boxes[0]
    box = {90: (y, width - x - w, h, w), 180: (width - x - w, height - y - h, w, h), 270: (height - y - h, x, h, w)}
    write(tmp_path / "turned.png", turned)
    made = gathered(Entry(str(tmp_path / "turned.png"), "t", text="4", boxes=(box[degrees],), turned=degrees))
    upright = gathered(Entry(path, "page", text="4", boxes=boxes[:1]))
    difference = np.abs(made.images[0].astype(int) - upright.images[0])
    assert difference.mean() < 12  # the crop's square may be a pixel off


@pytest.mark.parametrize(("degrees", "same"), [(12, 0), (348, 0), (80, 90), (260, 270)])
def test_the_crops_of_an_oblique_picture_are_turned_by_quarters(degrees, same, page):
    path, boxes = page
    made, upright = (gathered(Entry(path, "p", text="4", boxes=boxes[:1], turned=one)) for one in (degrees, same))
    assert np.array_equal(made.images[0], upright.images[0])


@pytest.mark.parametrize(
    ("text", "stated", "why"),
    [
        ("407", ((5.0, 5.0, 20.0, 30.0),) * 2, "2 boxes for the 3 digits 407"),
        ("4", ((900.0, 5.0, 20.0, 30.0),), "not inside"),
        ("4", ((5.0, 5.0, 0.0, 30.0),), "not inside"),
        ("4", ((5.0, 5.0, 9.0),), "not inside"),
        ("4", ((5.0, 5.0, float("inf"), 9.0),), "not inside"),
        ("4", ((5.0, 5.0, 9.0, 1e300),), "not inside"),
        ("4", ((float("nan"), 5.0, 9.0, 9.0),), "not inside"),
    ],
)
def test_boxes_that_do_not_fit_are_told(text, stated, why, page):
    made = gathered(Entry(page[0], "page", text=text, boxes=stated))
    assert made.names == []
    assert [one.kind for one in made.troubles] == ["unboxed"]
    assert why in made.troubles[0].why


def test_without_boxes_a_reading_with_as_many_digits_gives_them_and_the_text_says_which_they_are(page):
    path, boxes = page
    for text, labels in (("407\n82", [4, 0, 7, 8, 2]), ("40782", [4, 0, 7, 8, 2]), ("107\n82", [1, 0, 7, 8, 2])):
        made = gathered(Entry(path, "page", text=text))
        assert made.labels == labels
    first = [int(side) for side in made.names[0].split("box ")[1].split(",")]
    assert np.abs(np.array(first) - boxes[0]).max() < 12


def test_without_boxes_all_ink_of_a_picture_of_one_digit_is_taken_for_it(draw, tmp_path, write):
    large = cv2.copyMakeBorder(cv2.resize(draw(3), (20, 40)), 9, 9, 9, 9, cv2.BORDER_CONSTANT)
    path = write(tmp_path / "bar.png", large)
    made = gathered(Entry(path, "bar", text="3", group="g", part="test"))
    assert np.array_equal(made.images[0][0], digit_image(large))
    assert (made.labels, made.names, made.groups, made.parts) == ([3], ["bar"], ["g"], ["test"])
    assert gathered(Entry(path, "bar", text="?")).troubles[0].kind == "unboxed"


@pytest.mark.parametrize("boxes", [None, ((0.0, 0.0, 28.0, 28.0),)])
@pytest.mark.parametrize(("text", "label"), [("3", 3), ("", NONE)])
def test_a_picture_of_28x28_pixels_is_taken_whole_as_the_reader_reads_it(boxes, text, label, folder, draw):
    made = gathered(Entry(f"{folder}/3/2.png", "bar", text=text, boxes=boxes, group="g", part="test"))
    assert np.array_equal(made.images[0][0], draw(3, 2))
    assert (made.labels, made.names, made.groups, made.parts) == ([label], ["bar"], ["g"], ["test"])


def test_without_boxes_a_text_of_another_length_is_told(page):
    made = gathered(Entry(page[0], "page", text="4071\n82"))
    assert made.names == []
    assert made.troubles[0].why.startswith("shows 407182 and 407, 82 was read, so the places")


@pytest.mark.parametrize("text", ["7", "7\n0042"])
def test_a_text_that_lacks_zeros_which_are_read_is_told_as_such(text, tmp_path):
    drawn = draw_page(["007", "0042"], np.random.default_rng(5), Style((320, 240), digit_height=60))
    path = str(tmp_path / "page.png")
    assert cv2.imwrite(path, drawn.image[: 240 if "\n" in text else 120, :, ::-1])
    made = gathered(Entry(path, "page", text=text))
    assert made.names == []
    assert made.troubles[0].kind == "zeros"
    assert "spreadsheets drop zeros in front" in made.troubles[0].why
    assert not gathered(Entry(path, "page", text=text.replace("7", "007"))).troubles


def test_the_files_are_kept_with_what_they_show_also_where_no_image_could_be_cut_out(folder, page):
    path, boxes = page
    made = gathered(
        Entry(f"{folder}/3/2.png", "lone", 3, group="g", part="test"),
        Entry(f"{folder}/3/3.png", "none", NONE),
        Entry(path, "page", text="No. 407\n\n82", boxes=boxes),
        Entry(path, "other", text="1234567"),
        Entry("missing.png", "missing", 3),
    )
    assert [(one.name, one.lines) for one in made.pictures] == [
        ("lone", ("3",)),
        ("none", ()),
        ("page", ("407", "82")),
        ("other", ("1234567",)),
    ]
    assert (made.pictures[0].group, made.pictures[0].part) == ("g", "test")
    assert [one.boxes for one in made.pictures] == [None, None, boxes, None]
    assert made.labelled().pictures == made.pictures
