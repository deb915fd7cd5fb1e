"""The command export."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from digitocr.cli.main import command_line
from digitocr.runtime.errors import ModelError
from digitocr.runtime.models import MODELS


def digitocr(*words, cwd, **environment):
    command = [sys.executable, "-m", "digitocr.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


def test_options_that_a_network_s_export_has_no_use_for_are_refused(refused, tmp_path):
    (tmp_path / "before.keras").write_bytes((MODELS / "detector.keras").read_bytes())
    for words, why in (
        (["--no-verify"], "--verify/--no-verify does not apply to a detector"),
        (["--max-drop", "0"], "--max-drop does not apply to a detector"),
        (["--max-changed", "20"], "--max-changed does not apply to a detector"),
        (["--io", "uint8"], "--io does not apply to a detector"),
        (["--format", "onnx", "--size", "512x384"], "--size is for TFLite files"),
        (["--format", "tflite", "--size", "512"], "size is 512; it must be WIDTHxHEIGHT"),
    ):
        assert refused("export", "--model", tmp_path / "before.keras", *words).startswith(why)
    assert refused("export", "--model", MODELS / "digitocr.keras", "--fonts", tmp_path).startswith("--fonts is for")


def test_a_detector_is_known_by_what_is_in_its_file(monkeypatch, tmp_path):
    given = []

    def export_detector(model, mode, out, scenes, force, sides):
        given.append((model.name, sides))
        return {"path": "a", "bytes": 1, "found": 1, "same": 1, "keras": {"found": 1}}

    monkeypatch.setattr("digitocr.export.detector.export_detector", export_detector)
    monkeypatch.setattr("digitocr.export.detector.held_out_scenes", lambda *_: [])
    monkeypatch.setattr("digitocr.train.sources.load.load_data", lambda *_: None)
    monkeypatch.setattr("digitocr.train.synthesis.fonts.find_fonts", lambda *_: [])
    (tmp_path / "before.keras").write_bytes((MODELS / "detector.keras").read_bytes())
    for words, sides in (
        (["--format", "onnx"], [None]),
        ([], [None, (384, 512), (96, 128)]),
        (["--format", "tflite", "--size", "512x384", "--size", "200x80"], [(384, 512), (80, 200)]),
        (["--format", "tflite", "--size", "512x384", "--size", "512x384"], [(384, 512)]),  # once, not a file in its way
        (["--format", "onnx", "--quantize", "int8", "--quantize", "int8"], [None]),
    ):
        given.clear()
        done = CliRunner().invoke(command_line(()), ["export", "--model", str(tmp_path / "before.keras"), *words])
        assert (done.exit_code, given) == (0, [("before.keras", one) for one in sides]), done.exception
    (tmp_path / "detector.keras").write_bytes(b"none")
    done = CliRunner().invoke(command_line(()), ["export", "--model", str(tmp_path / "detector.keras")])
    assert "Keras cannot load it" in str(done.exception)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's, of NumPy 2
def test_a_recognizer_is_known_by_what_is_in_its_file(monkeypatch, refused, tmp_path):
    from digitocr.train.recognizer.network import build_recognizer

    def export_recognizer(model, mode, out, strips, force, tflite):
        given.append((mode, tflite))
        return {"path": "a", "bytes": 1, "digits": 0.9, "same": 1, "keras": {"digits": 0.91}}

    given = []
    monkeypatch.setattr("digitocr.export.recognizer.export_recognizer", export_recognizer)
    monkeypatch.setattr("digitocr.export.recognizer.held_out_strips", lambda *_: [])
    monkeypatch.setattr("digitocr.train.sources.load.load_data", lambda *_: None)
    monkeypatch.setattr("digitocr.train.synthesis.fonts.find_fonts", lambda *_: [])
    build_recognizer().save(tmp_path / "own.keras")
    words = ["export", "--model", str(tmp_path / "own.keras"), "--quantize", "none", "--quantize", "int8"]
    done = CliRunner().invoke(command_line(()), words)
    expected = [("none", False), ("none", True), ("int8", False), ("int8", True)]
    assert (done.exit_code, given) == (0, expected), done.exception
    assert "reads 90.00% of the digits (Keras 91.00%)" in done.stdout
    assert refused(*words, "--no-verify").startswith("--verify/--no-verify does not apply to a recognizer")
    assert refused(*words, "--size", "512x384").startswith("--size is for TFLite files of a detector")


def test_all_networks_of_a_run_are_exported_and_their_confidence(monkeypatch, refused, tmp_path):
    given = []

    def convert(model, formats, quantize, out, data, *, force):
        given.append((model.name, formats, quantize))
        out.mkdir()
        report = {"path": "a", "bytes": 1, "accuracy": {"file": 0.99, "keras": 0.99}, "changed": [], "images": 10}
        return [report] * len(formats)

    def written(kind, model, formats, quantize, *_):
        given.append((kind, model.name, formats, quantize))
        yield kind

    monkeypatch.setattr("digitocr.export.classifier.export", convert)
    monkeypatch.setattr("digitocr.cli.commands.export._written", written)
    monkeypatch.setattr("digitocr.train.sources.load.load_data", lambda *_: None)
    monkeypatch.setattr("digitocr.train.synthesis.fonts.find_fonts", lambda *_: [])
    run, out = tmp_path / "run", tmp_path / "out"
    run.mkdir()
    for name in ("model.keras", "recognizer.keras", "confidence.json"):
        (run / name).write_text(name)
    words = ["export", "--model", str(run), "--quantize", "int8", "--quantize", "dynamic", "--out", str(out)]
    done = CliRunner().invoke(command_line(()), words)
    assert done.exit_code == 0, done.exception
    (run / "run.json").write_text('{"ended": null}')
    assert "was ended before all its networks were written" in str(
        CliRunner().invoke(command_line(()), words).exception
    )
    both = ["int8", "dynamic"]
    assert given == [("model.keras", ["tflite", "onnx"], both), ("recognizer", "recognizer.keras", ["onnx"], ["int8"])]
    assert (out / "confidence.json").read_text() == "confidence.json"
    assert done.stdout.splitlines()[-2:] == ["recognizer", f"next: digitocr predict --model {out} PICTURE"]
    assert refused(*words, "--no-verify").startswith("--verify/--no-verify is for one .keras file")


def test_the_folder_of_a_classifier_s_run_stands_for_its_network(tmp_path):
    (tmp_path / "run.json").write_text('{"kind": "classifier"}')
    words = ["export", "--model", str(tmp_path), "--calibration", "own"]  # refused for a run with several networks
    assert f"{tmp_path}/model.keras: does not exist" in str(CliRunner().invoke(command_line(()), words).exception)


def test_options_of_tflite_files_are_refused_where_none_is_written(refused):
    model = ["export", "--model", MODELS / "digitocr.keras"]
    assert refused(*model, "--format", "onnx", "--io", "uint8").startswith("--io is for TFLite files")
    assert refused(*model, "--format", "onnx", "--channels", 3).startswith("--channels is for TFLite files")
    assert refused(*model, "--quantize", "none", "--io", "float").startswith("--io is for int8 files")
    detector = ["export", "--model", MODELS / "detector.keras", "--channels", 3]
    assert refused(*detector).startswith("--channels does not apply to a detector")
    assert refused(*model, "--size", "512x384").startswith("--size is for a detector.keras")


def test_a_model_that_is_not_there_is_refused_before_mnist_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr("digitocr.train.data.load_mnist", lambda *_: pytest.fail("loaded, which may be a download"))
    done = CliRunner().invoke(command_line(()), ["export", "--model", str(tmp_path / "nothere.keras")])
    assert "nothere.keras: does not exist" in str(done.exception)


@pytest.mark.usefixtures("mnist")
def test_export_writes_a_verified_file_and_says_what_to_type_next(tmp_path):
    done = digitocr("export", "--format", "onnx", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"digitocr: exporting {MODELS / 'digitocr.keras'}\n"
    written, following = done.stdout.splitlines()
    assert written.startswith(str(tmp_path / "out" / "digitocr-int8.onnx"))
    assert following.startswith("next: digitocr predict --model ")
    report = json.loads((tmp_path / "out" / "digitocr-int8.onnx.report.json").read_text())
    assert report["passed"]
    assert report["images"] == 10_000
    card = json.loads(digitocr("info", tmp_path / "out" / "digitocr-int8.onnx", cwd=tmp_path).stdout)
    assert card["quantization"] == "int8"
    again = digitocr("export", "--format", "onnx", "--out", tmp_path / "out", cwd=tmp_path)
    assert again.returncode == 9


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize(
    ("recipe", "command"), [("robust", "digitocr predict --model"), ("paper", "digitocr evaluate --model")]
)
def test_the_next_command_is_one_that_the_network_is_good_for(recipe, command, tmp_path):
    (tmp_path / "model.keras").write_bytes((MODELS / "digitocr.keras").read_bytes())
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"recipe": recipe}}))
    words = ["--format", "onnx", "--quantize", "none", "--no-verify", "--out", tmp_path / "out"]
    done = digitocr("export", "--model", tmp_path / "model.keras", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"next: {command} {tmp_path / 'out' / 'digitocr-float32.onnx'}" in done.stdout


@pytest.mark.usefixtures("mnist")
def test_a_refused_export_ends_with_6_and_leaves_no_file(tmp_path):
    done = digitocr("export", "--format", "tflite", "--max-changed", "-1", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 6
    assert "refused" in done.stderr
    assert not (tmp_path / "digitocr-int8.tflite").exists()
    assert (tmp_path / "digitocr-int8.tflite.report.json").exists()


@pytest.mark.usefixtures("mnist")
def test_export_without_proof_is_loud(tmp_path):
    done = digitocr("export", "--format", "onnx", "--quantize", "none", "--no-verify", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 0
    assert "NOT VERIFIED" in done.stderr
    assert "NOT VERIFIED" in done.stdout


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["export", "--format", "h5"], 2),
        (["export", "--model", "missing.keras"], 5),
    ],
)
def test_senseless_arguments_end_with_their_exit_code(words, code, tmp_path):
    done = digitocr(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""


def test_a_source_to_calibrate_with_is_for_int8(refused, tmp_path):
    why = refused("export", "--quantize", "none", "--calibration", tmp_path)
    assert why == "--calibration is for --quantize int8; leave it out"


def test_a_page_is_made_of_the_c_files_unless_there_is_one(monkeypatch, tmp_path):
    made = []

    def export_c(out, networks, mnist, *, verify, force):
        made.append(networks.classifier.name)
        out.mkdir()
        return {"bytes": 5, "passed": None}

    def export_web(c_folder, out, *, force):
        assert c_folder.is_dir()
        return {"path": str(out / "digitocr.html"), "bytes": 800_000, "wasm_bytes": 7}

    monkeypatch.setattr("digitocr.export.to_c.export_c", export_c)
    monkeypatch.setattr("digitocr.export.to_web.export_web", export_web)
    words = ["export", "--format", "web", "--no-verify", "--out", str(tmp_path)]
    words += ["--model", str(MODELS / "digitocr-int8.onnx")]
    done = CliRunner().invoke(command_line(()), words)
    assert done.exit_code == 0, done.exception
    page = tmp_path / "digitocr.html"
    assert f"{page}  800 KB  NOT VERIFIED\nnext: open {page} in a browser\n" in done.output
    page.write_text("mine")
    assert "exists already" in str(CliRunner().invoke(command_line(()), words).exception)
    assert made == ["digitocr-int8.onnx"]


def test_c_files_come_from_int8_networks_and_say_what_was_compared(monkeypatch, refused, tmp_path):
    given = []

    def export_c(out, networks, data, *, verify, force):
        given.append((out, networks, verify, force))
        return {"passed": True, "images": 10_000, "bytes": 3_000_000, "pages": {"pages": 200}}

    monkeypatch.setattr("digitocr.export.to_c.export_c", export_c)
    monkeypatch.setattr("digitocr.train.sources.load.load_data", lambda *_: None)
    words = ["export", "--format", "c", "--out", str(tmp_path), "--model", str(MODELS / "digitocr-int8.onnx")]
    done = CliRunner().invoke(command_line(()), words)
    assert done.exit_code == 0, done.exception
    assert done.stdout == (
        f"{tmp_path}  3000 KB  10,000 digits have ONNX Runtime's logits, 200 pages are read as Reader reads them\n"
        f"next: make -C {tmp_path}\n"
    )
    ((_, networks, verify, force),) = given
    assert [path.name for path in (networks.detector, networks.recognizer)] == [
        "detector-int8.onnx",
        "recognizer-int8.onnx",
    ]
    assert (verify, force) == (True, False)
    assert refused(*words, "--quantize", "none") == "C files are int8; leave out --quantize"
    assert refused(*words, "--max-drop", "1").startswith("--max-drop is for a .keras file")
    for option, value in (("--io", "uint8"), ("--channels", "3"), ("--size", "512x384")):
        assert refused(*words, option, value) == f"{option} is for TFLite files; leave it out"
    assert refused(*words, "--calibration", tmp_path).startswith("--calibration is for --format onnx")
    assert refused("export", "--detector", "d.onnx").startswith("--detector is for --format c and web")
    folder = tmp_path / "adapted"
    folder.mkdir()
    found = CliRunner().invoke(command_line(()), [*words, "--model", str(folder)]).exception
    assert f"{folder}: holds no digitocr-int8.onnx; write it with: digitocr export --model RUN" in str(found)
    for name in ("digitocr-int8.onnx", "recognizer-int8.onnx", "confidence.json"):
        (folder / name).write_bytes((MODELS / name).read_bytes())
    done = CliRunner().invoke(command_line(()), [*words, "--model", str(folder)])
    assert done.exit_code == 0, done.exception
    own, others = given[-1][1], [folder / "recognizer-int8.onnx", folder / "confidence.json"]
    assert (own.classifier, own.detector) == (folder / "digitocr-int8.onnx", MODELS / "detector-int8.onnx")
    assert [own.recognizer, own.confidence] == others
    for kind in ("detector", "recognizer"):
        why = refused("export", "--format", "c", "--model", MODELS / f"{kind}.keras")
        assert why.endswith(f"{kind}.keras: is a {kind}; export it by --format onnx, and give that file to --{kind}")


@pytest.mark.parametrize("form", ["onnx", "all", "c", "web"])
def test_an_adaptation_that_was_refused_has_nothing_to_export(form, tmp_path):
    (tmp_path / "run.json").write_text('{"kind": "adapt"}')
    words = ["export", "--format", form, "--model", str(tmp_path), "--out", str(tmp_path / "out")]
    found = CliRunner().invoke(command_line(()), words).exception
    assert isinstance(found, ModelError)
    assert str(found).startswith(
        f"{tmp_path}: holds no networks, as its gate refused them or it is not finished; see: "
    )
    assert not (tmp_path / "out").exists()
