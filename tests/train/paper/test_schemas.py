import json
from pathlib import Path

import pytest

from digitocr.runtime.errors import InputError
from digitocr.train.paper.schemas import fits_results, read_json

DOCS = Path(__file__).parents[3] / "docs" / "paper"
COMMITTED = [DOCS / "results.json", DOCS / "search" / "results.json"]


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


def test_an_answer_to_no_image_is_damage() -> None:
    whole = json.loads(COMMITTED[0].read_text("utf-8"))
    for pair in ([-1, 3], [10_000_000, 3], [0, 10], [0, -1], [0]):
        whole["runs"][0]["test"]["errors"] = [pair]
        assert not fits_results(whole)


def test_json_that_is_nested_too_deep_is_damage(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"results\.json: is damaged \(is nested too deep\); make it again"):
        read_json(tmp_path / "results.json", dict, "make it again")
