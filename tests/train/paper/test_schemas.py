import json
from pathlib import Path
from typing import Any

import pytest

from digitocr.runtime.errors import InputError
from digitocr.train.paper.schemas import fits, fits_results, read_json

DOCS = Path(__file__).parents[3] / "docs" / "paper"
COMMITTED = [DOCS / "results.json", DOCS / "search" / "results.json"]


@pytest.mark.parametrize(
    ("content", "schema", "good"),
    [
        (1, int, True),
        (True, int, False),  # a bool is an int for Python alone
        (True, bool, True),
        (1, bool, False),
        (1, (int, float), True),
        ("a", {"a", "b"}, True),
        ("c", {"a", "b"}, False),
        ([], {"a"}, False),
        ([1, 2], [int], True),
        ([1, "2"], [int], False),
        ({"a": 1, "other": None}, {"a": int}, True),
        ({"other": None}, {"a": int}, False),
        ({"a": "1"}, {"a": int}, False),
        ({"fog": 0.5, "shear": 1}, {...: (int, float)}, True),
        ({"fog": "0.5"}, {...: (int, float)}, False),
        ([1], {"a": int}, False),
    ],
)
def test_content_fits_a_schema_of_its_form(content: Any, schema: Any, good: bool) -> None:
    assert fits(content, schema) is good


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_what_lacks_any_part_of_a_committed_result_is_damaged(path: Path, tmp_path: Path) -> None:
    whole = json.loads(path.read_text("utf-8"))
    assert fits_results(whole)
    name = "runs" if "runs" in whole else "trials"
    for key in whole:
        assert not fits_results({other: value for other, value in whole.items() if other != key})
    needed = {"runs": ["cell", "seed", "test", "history", "int8"], "trials": ["number", "state", "bytes", "weights"]}
    first = next(one for one in whole[name] if "int8" in one or one.get("state") == "complete")
    for key in needed[name]:
        cut = {other: value for other, value in first.items() if other != key}
        (tmp_path / "results.json").write_text(json.dumps({**whole, name: [cut]}))
        with pytest.raises(InputError, match=r"results\.json: is damaged or of another version; make it again"):
            read_json(tmp_path / "results.json", fits_results, "make it again")


def test_what_cannot_be_read_is_said_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"results\.json: is damaged \(No such file or directory\); make it again"):
        read_json(tmp_path / "results.json", dict, "make it again")
    (tmp_path / "results.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match=r"results\.json: is damaged \(.*\); make it again"):
        read_json(tmp_path / "results.json", dict, "make it again")
