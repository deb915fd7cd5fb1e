import json
import shutil
import subprocess

import pytest

from digitocr.export.golden import c_header, pages, pictures, strips, write_golden
from digitocr.runtime.errors import OutputError
from digitocr.runtime.models import shipped_model
from digitocr.runtime.selftest import selftest


def test_the_pictures_are_of_all_kinds():
    drawn = pictures()
    assert len(drawn) == 20
    sides = [max(box[2:]) * 28 / 20 for _, box in drawn]
    assert min(sides) < 28 < max(sides)  # enlarged, shrunk
    bright = [gray.mean() < 128 for gray, _ in drawn]
    assert 0 < sum(bright) < 20
    beyond = [
        box[0] + box[2] / 2 - side / 2 < 0 or box[1] + box[3] / 2 - side / 2 < 0
        for (_, box), side in zip(drawn, sides, strict=True)
    ]
    assert any(beyond)


def test_vectors_are_written_beside_the_file_and_hold(tmp_path):
    path = tmp_path / "n.onnx"
    shutil.copy(shipped_model("digitocr-int8.onnx"), path)
    write_golden(path)
    golden = json.loads((tmp_path / "n.onnx.golden.json").read_text())
    assert (golden["file"], len(golden["vectors"])) == ("n.onnx", 20)
    assert golden["written by"].startswith("onnxruntime ")
    assert {row["logits"].index(max(row["logits"])) for row in golden["vectors"]} >= set(range(10))
    assert {one["of"]: one["largest"] < 1e-4 for one in selftest(path)["differences"]} == {"crop": True, "logit": True}


@pytest.mark.parametrize("name", ["digitocr-int8.onnx", "detector-int8.onnx", "recognizer-int8.onnx", "reader"])
def test_vectors_of_the_shipped_files_are_those_that_are_written_now(name, tmp_path):
    for path in shipped_model("x").parent.iterdir():
        (tmp_path / path.name).symlink_to(path)
    write_golden(tmp_path / name, header=False)
    now, shipped = (
        json.loads((folder / f"{name}.golden.json").read_text()) for folder in (tmp_path, shipped_model("x").parent)
    )
    for key in ("picture", "box"):
        assert [one.get(key) for one in now["vectors"]] == [one.get(key) for one in shipped["vectors"]]
    assert now["sha256"] == shipped["sha256"], "another model: python -m digitocr.export.golden runtime/models"


def test_strips_and_pages_show_every_digit_on_both_grounds():
    for drawn in (strips(), pages()):
        assert len(drawn) == 20
        assert 0 < sum(bool(gray.mean() < 128) for gray in drawn) < 20
    assert {strip.shape[0] for strip in strips()} == {32}
    assert max(strip.shape[1] for strip in strips()) <= 160
    numbers = [
        number
        for vector in json.loads(shipped_model("reader.golden.json").read_text())["vectors"]
        for number in vector["numbers"]
    ]
    assert set("".join(numbers)) == set("0123456789")


def test_the_header_has_the_vectors_for_c(tmp_path):
    golden = {
        "file": "n.onnx",
        "written by": "onnxruntime 1, x",
        "sha256": "ab",
        "tolerance": {"crop": 4, "logit": 0.25},
        "vectors": [
            {"width": 2, "height": 1, "picture": "/wE=", "logits": [[0.5, -2], [1, 3]], "numbers": ["12", "3"]},
            {"width": 1, "height": 1, "picture": "Bw==", "logits": [], "numbers": []},
        ],
    }
    (tmp_path / "golden.h").write_text(c_header(golden))
    (tmp_path / "main.c").write_text(
        """#include "golden.h"
#include <stdio.h>
int main(void) {
    int32_t n;
    for (n = 0; n < GOLDEN_COUNT; n++) {
        const struct golden_vector *one = &golden_vectors[n];
        int32_t at;
        printf("%dx%d", (int)one->width, (int)one->height);
        for (at = 0; at < one->picture_count; at++) printf(" %d", one->picture[at]);
        for (at = 0; at < one->logits_count; at++) printf(" %g", one->logits[at]);
        printf(" %s|", one->numbers);
    }
    printf("%g %g", GOLDEN_CROP_TOLERANCE, GOLDEN_LOGIT_TOLERANCE);
    return 0;
}
"""
    )
    compiler = shutil.which("cc") or pytest.skip("needs a C compiler")
    words = [compiler, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "main.c", "-o", "main"]
    subprocess.run(words, cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    assert done.stdout == "2x1 255 1 0.5 -2 1 3 12\n3\n|1x1 7 |4 0.25"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    path = tmp_path / "n.onnx"
    shutil.copy(shipped_model("digitocr-int8.onnx"), path)
    (tmp_path / "n.onnx.golden.json").mkdir()
    with pytest.raises(OutputError, match=r"golden\.json: cannot be written"):
        write_golden(path)
