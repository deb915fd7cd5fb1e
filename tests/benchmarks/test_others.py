"""Readers beside each other: what counts as right, and what is read again."""

import json

import pytest


class Fake:
    """A reader that reads what it is told to, and counts."""

    def __init__(self, name, title, texts):
        self.name, self.title, self.texts, self.calls = name, title, texts, []

    def read(self, path):
        self.calls.append(path.name)
        extra = {"numbers": [], "main": ""} if self.name == "digitocr" else {}
        return {"text": self.texts.get(path.name, ""), "ms": 1.0, "MB": 1.0, **extra}


@pytest.fixture
def others(benchmark_module):
    return benchmark_module("others")


@pytest.fixture
def pictures(others, tmp_path):
    """Eight pictures of a set."""
    labels = [{"file": f"images/{i}.png", "text": str(i), "kind": "digit"} for i in range(8)]
    (tmp_path / "set" / "images").mkdir(parents=True)
    for label in labels:
        (tmp_path / "set" / label["file"]).write_text(label["file"])
    (tmp_path / "set" / "labels.json").write_text(json.dumps(labels))
    return others.labelled(tmp_path / "set")


def test_edits_are_counted(others):
    pairs = [("123", "123"), ("123", "13"), ("12", "921"), ("", "77")]
    assert [others.distance(*pair) for pair in pairs] == [0, 1, 2, 2]
    assert others.right([("1234", "1234"), ("5678", "567")]) == "87.5%, 50%"
    assert others.right([("1", "999")]) == "0.0%, 0%"
    assert others.invented([("", ""), ("", "123")]) == "50%, 3"


def test_numbers_of_a_text_are_its_digits_with_the_signs_between_them(others):
    answer = {"text": "No. 0042 on 12/08/2026,\n3.20 EUR and 5 - 7"}
    assert others.numbers(answer) == ["0042", "12082026", "320", "5", "7"]
    assert others.numbers({"text": "1 2", "numbers": ["12"]}) == ["12"]


def test_a_known_picture_is_read_again_for_its_time_alone(others, pictures, tmp_path):
    known = tmp_path / "known.jsonl"
    texts = {picture.path.name: picture.digits for picture in pictures}

    def calls(title):
        mine, its = Fake("digitocr", "digitocr 1", texts), Fake("rapidocr", title, texts)
        answers = others.answers_of(pictures, [mine, its], others.Known(known))
        assert [answer["text"] for answer in answers[its]] == list(texts.values())
        assert mine.calls[1:] == list(texts)  # the first call warms up
        return its.calls[1:]

    assert calls("RapidOCR 1") == list(texts)
    assert calls("RapidOCR 1") == ["0.png", "4.png"]
    pictures[1].path.write_text("another picture")
    assert calls("RapidOCR 1") == ["0.png", "1.png", "4.png"]
    assert calls("RapidOCR 2") == list(texts)
    assert {json.loads(line)["title"] for line in known.read_text().splitlines()} == {"RapidOCR 1", "RapidOCR 2"}


def test_without_a_file_every_picture_is_read(others, pictures):
    its = Fake("rapidocr", "RapidOCR 1", {})
    others.answers_of(pictures, [its], others.Known(None))
    others.answers_of(pictures, [its], others.Known(None))
    assert len(its.calls) == 2 * (1 + len(pictures))


def test_the_table_is_by_set_by_kind_and_by_the_number_that_is_meant(others, tmp_path):
    mine, its = Fake("digitocr", "digitocr 1", {}), Fake("rapidocr", "RapidOCR 1", {})
    pictures = [
        others.Picture("a", tmp_path / "1", "meter", "00412", "0041"),
        others.Picture("b", tmp_path / "2", "meter", "77", "77"),
        others.Picture("b", tmp_path / "3", "form", "5", ""),
        others.Picture("b", tmp_path / "4", "words", "", ""),
    ]
    answers = {
        mine: [
            {"text": "0041 2", "numbers": ["0041", "2"], "main": "0041"},
            {"text": "7?", "numbers": ["7?"], "main": "7?"},
            {"text": "5", "numbers": ["5"], "main": "5"},
            {"text": "?", "numbers": ["?"], "main": "?"},
        ],
        its: [{"text": "00412 m3"}, {"text": "No 77"}, {"text": "S"}, {"text": "l2"}],
    }
    assert others.accuracy(pictures, answers) == [
        {"what": "a: digits right, pictures right", "pictures": 1, mine.title: "100.0%, 100%", its.title: "80.0%, 0%"},
        {"what": "b: digits right, pictures right", "pictures": 2, mine.title: "66.7%, 50%", its.title: "66.7%, 50%"},
        {"what": "of all these: form", "pictures": 1, mine.title: "100.0%, 100%", its.title: "0.0%, 0%"},
        {"what": "of all these: meter", "pictures": 2, mine.title: "85.7%, 50%", its.title: "85.7%, 50%"},
        {
            "what": "b, no digits: read as empty, digits invented",
            "pictures": 1,
            mine.title: "100%, 0",
            its.title: "0%, 1",
        },
        {"what": "the number that is meant is among the numbers", "pictures": 2, mine.title: "50%", its.title: "50%"},
        {"what": "the number that is meant is the main one", "pictures": 2, mine.title: "50%", its.title: "-"},
    ]
