import json

import cv2
import numpy as np
import pytest

from digitocr.train.idx import TEST, TRAIN
from digitocr.train.sources.check import NEAR, area_means, as_text, check, nearest
from digitocr.train.sources.labelled import NONE, Gathered


class Network:
    """In the classifier's place: it answers 3 with 0.7 and all else with the rest, and notes what it was asked."""

    def __init__(self, classes=11):
        self.classes, self.asked = classes, 0

    def predict(self, tensors):
        self.asked += len(tensors)
        answers = np.full((len(tensors), self.classes), 0.3 / (self.classes - 1), np.float32)
        answers[:, 3] = 0.7
        return answers


@pytest.fixture
def ten(draw):
    """Two pictures of each digit to train with and one to test with, none alike."""
    gathered = Gathered("here")
    for label in range(10):
        for number in range(3):
            part = TEST if number == 2 else TRAIN
            gathered.add(draw(label, 7 * number), label, f"{label}-{number}", "", part)
    return gathered


def report_of(gathered, network=None):
    report = check(gathered.labelled(), network or Network())
    assert json.loads(json.dumps(report)) == report
    return report


def test_a_set_that_is_fit(ten):
    report = report_of(ten)
    assert (report["failures"], report["pictures"], report["split"]) == ([], 30, "as the source says")
    assert report["classes"][7] == {"class": "7", TRAIN: 2, TEST: 1}
    assert report["sizes"]["most"] == [{"size": [28, 28], "pictures": 30}]
    assert report["polarity"] == {"light on dark": 30, "dark on light": 0}
    assert report["duplicates"]["same"] == report["leakage"]["same"] == report["unreadable"] == 0
    assert report["contradictions"] == report["troubles"] == []
    text = as_text(report)
    assert "  7                  2         1" in text
    assert "none" not in text
    assert "FAILURE" not in text


def test_sizes_and_polarity(ten, draw):
    for number in range(6):
        ten.add(cv2.resize(255 - draw(4, number), (40 + number, 60)), 4, f"large {number}", "", TRAIN)
    report = report_of(ten)
    assert report["polarity"] == {"light on dark": 30, "dark on light": 6}
    assert report["sizes"]["kinds"] == 7
    assert (report["sizes"]["widths"], report["sizes"]["heights"]) == ([28, 45], [28, 60])
    assert "28x28: 30" in as_text(report)
    assert "and 2 more, 28 to 45 wide, 28 to 60 high" in as_text(report)


def test_same_pictures(ten, draw):
    ten.add(draw(4, 0), 4, "again", "", TRAIN)
    ten.add(draw(5, 0), 5, "leak", "", TEST)
    report = report_of(ten)
    assert report["duplicates"]["same"] == 2
    assert report["duplicates"]["pairs"] == [["again", "4-0"], ["leak", "5-0"]]
    assert report["leakage"]["same"] == 1
    assert report["leakage"]["pairs"] == [["leak", "5-0"]]
    assert report["failures"] == ["1 test pictures are training pictures as well: the test says too much good"]
    assert "  leak = 5-0" in as_text(report)


def test_digits_of_different_pictures_may_be_the_same(draw):
    gathered = Gathered("here")
    for number in range(12):
        for label in range(10):
            gathered.add(draw(label, 0 if label < 2 else number), label, f"{label}-{number}", f"picture {number}", "")
    report = report_of(gathered)
    assert report["leakage"]["same"] == 4
    assert report["failures"] == []
    assert report["warnings"][0].startswith("4 test pictures have the pixels of training pictures of other groups")


def test_nearly_same_pictures(ten, draw):
    def saved_again(image):
        return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1], cv2.IMREAD_GRAYSCALE)

    before = report_of(ten)
    assert before["duplicates"]["near"] == before["leakage"]["near"] == 0
    ten.add(saved_again(draw(4, 0)), 4, "again", "", TRAIN)
    ten.add(draw(5, 0) // 2, 5, "darker", "", TEST)
    report = report_of(ten)
    assert report["duplicates"]["same"] == report["leakage"]["same"] == 0
    assert report["duplicates"]["near"] == 4  # both of each pair
    assert report["leakage"]["near"] == 1
    assert report["leakage"]["pairs"] == [["darker", "5-0"]]
    assert report["failures"] == []
    assert "1 test pictures are nearly training pictures" in report["warnings"][0]


def test_contradictions_and_missing_classes_make_a_set_unfit(ten, draw):
    ten.add(draw(4, 0), 9, "wrong", "", TRAIN)
    ten.labels = [8 if label == 7 else label for label in ten.labels]
    report = report_of(ten)
    assert report["contradictions"] == [[{"name": "4-0", "label": "4"}, {"name": "wrong", "label": "9"}]]
    assert [line[:20] for line in report["failures"]] == ["no picture of 7 to t", "2 pictures have the "]
    assert "contradiction 4-0 (4), wrong (9)" in as_text(report)


def test_labels_that_the_network_doubts(ten, draw):
    ten.add(draw(NONE), NONE, "none", "", TRAIN)
    report = report_of(ten)
    doubts = report["doubts"]
    assert (doubts["asked"], doubts["differ"], len(doubts["worst"])) == (31, 28, 10)
    assert doubts["worst"][0] == {"name": "0-0", "label": "0", "answer": "3", "probability": 0.03}
    assert "the shipped network answers 90% otherwise" in report["warnings"][0]
    assert "  0-0: label 0, answer 3, 0.0300 for the label" in as_text(report)
    network = Network(classes=10)
    assert report_of(ten, network)["doubts"]["asked"] == network.asked == 30  # it knows no "no digit"


def test_what_is_not_used_is_listed_whole(ten):
    for number in range(12):
        ten.trouble("unreadable", f"bad {number}", "is damaged")
    ten.trouble("left out", "notes.txt", "is no picture by its name")
    report = report_of(ten)
    assert report["unreadable"] == 12
    assert as_text(report).count("not used") == 13


@pytest.mark.filterwarnings("error")
def test_sets_of_few_pictures(draw):
    gathered = Gathered("here")
    gathered.add(draw(3), 3, "a", "", TRAIN)
    gathered.add(draw(3), 3, "b", "", TEST)
    report = report_of(gathered)
    assert (report["leakage"]["same"], report["leakage"]["near"]) == (1, 0)
    blank = Gathered("here")
    for number in range(3):
        blank.add(np.zeros((28, 28), np.uint8), 3, f"{number}")
    assert report_of(blank)["duplicates"]["same"] == 2


def test_nearest_is_what_a_search_through_all_finds():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 28, 28)).astype(np.uint8)
    others = np.clip(images[:60] + rng.normal(0, 12, (60, 28, 28)), 0, 255).astype(np.uint8)
    some, among = area_means(others), area_means(images)
    distances = np.linalg.norm(some[:, None] - among[None], axis=2)
    expected = np.where(distances.min(1) < NEAR, distances.argmin(1), -1)
    assert (expected >= 0).sum() > 30
    assert np.array_equal(nearest(some, among), expected)
    itself = nearest(np.concatenate([among, some[:1]]), np.concatenate([among, some[:1]]), is_itself=True)
    assert (itself[0], itself[-1]) == (200, 0)
    assert (itself[1:-1] == -1).all()


def test_contrast_does_not_matter_for_nearness(draw):
    images = np.array([draw(3, 7), draw(3, 7) // 3 * 2, np.zeros((28, 28))], np.uint8)
    one, other, blank = area_means(images)
    assert np.linalg.norm(one - other) < 0.01
    assert np.linalg.norm(one) == pytest.approx(1)
    assert not blank.any()
