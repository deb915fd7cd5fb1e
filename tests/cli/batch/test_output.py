import json
import os
from pathlib import Path

import pytest
import typer

from digitocr.cli.batch import output, render
from digitocr.runtime.errors import OutputError, UsageError


def line(source, error=None):
    return render.json_line(source, None, error)


def test_a_new_file_is_written_and_one_that_is_there_is_kept(tmp_path):
    path = tmp_path / "lines"
    with output.opened(path, resume=False, force=False) as file:
        output.say("ä\udcff", file)
        assert path.read_bytes() == "ä\\udcff\n".encode()  # at once
    with pytest.raises(OutputError, match=r"exists already; .*--resume.*--force"):
        output.opened(path, resume=False, force=False).__enter__()
    with output.opened(path, resume=True, force=False) as file:
        output.say("second", file)
    assert path.read_text() == "ä\\udcff\nsecond\n"
    with output.opened(path, resume=False, force=True) as file:
        output.say("new", file)
    assert path.read_text() == "new\n"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        output.opened(tmp_path / "none" / "lines", resume=False, force=False).__enter__()
    with (
        pytest.raises(OutputError, match="/dev/full cannot be written"),
        output.opened(Path("/dev/full"), resume=False, force=True) as full,
    ):
        output.say("a line", full)


def test_a_reader_that_has_gone_ends_the_run():
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(typer.Exit) as ended, output.opened(Path(f"/dev/fd/{writer}"), resume=False, force=True) as file:
        output.say("a line", file)
    os.close(writer)
    assert ended.value.exit_code == 9


def test_an_earlier_run_is_taken_up_without_its_errors_and_its_unfinished_line(tmp_path):
    path = tmp_path / "lines"
    whole = [line("a.png"), line("new\nline\udcff.png")]
    for rest in ("", "{", line("c.png")[:9], line("c.png")[:80], line("c.png")):
        path.write_text("\n".join([whole[0], line("bad.png", "bad.png: why"), whole[1], rest]))
        assert output.taken_up(path) == {"a.png": False, "new\nline\udcff.png": False}
        assert path.read_text() == "\n".join([*whole, ""])
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_to_be_read_is_not_written_to(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a picture")
    (tmp_path / "link").symlink_to("a.png")
    for source in (tmp_path / "a.png", tmp_path / "link"):
        with pytest.raises(UsageError, match=r"a\.png: is what is to be read"):
            output.refuse_source(tmp_path / "a.png", ["none.png", str(source)])
    for one in ("a.png", "b.png"):
        output.refuse_source(tmp_path / one, ["-", "0", "none.png", str(tmp_path), "x" * 999, "a\0"])


def test_without_an_earlier_run_nothing_is_taken_up(tmp_path):
    assert output.taken_up(tmp_path / "lines") == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        "notes",
        "notes\n",
        "a.png\t407\n",
        "[]\n",
        "3\n",
        '{"schema": "other/1"}\n',
        json.dumps({"schema": "digitocr/1"}) + "\n",
    ],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_text(line("a.png") + "\n" + content)
    with pytest.raises(OutputError, match=r"notes\.txt:2: is no line of digitocr predict --jsonl"):
        output.taken_up(path)
    assert path.read_text() == line("a.png") + "\n" + content
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        output.taken_up(tmp_path)


def test_control_characters_become_escapes():
    assert output.plain("a\tb\n\x7f ä") == "a\\tb\\n\\x7f ä"


def test_names_do_not_collide_and_earlier_files_are_kept(tmp_path):
    used = set()
    for source in ("a/1.png", "b/1.png", "-"):
        output.save(b"drawn", tmp_path / "out", source, ".png", used, force=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.png-2.png", "1.png.png", "stdin.png"]
    with pytest.raises(OutputError, match="exists already"):
        output.save(b"again", tmp_path / "out", "a/1.png", ".png", set(), force=False)
    assert (tmp_path / "out" / "1.png.png").read_bytes() == b"drawn"
    output.save(b"again", tmp_path / "out", "a/1.png", ".png", set(), force=True)
    assert (tmp_path / "out" / "1.png.png").read_bytes() == b"again"


def test_a_folder_that_cannot_be_made_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        output.save(b"drawn", tmp_path / "file", "a.png", ".png", set(), force=False)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_disk_that_is_full_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    def fill(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fill)
    with pytest.raises(OutputError, match=r"a\.png\.png: cannot be written \(No space left on device\)"):
        output.save(b"drawn", tmp_path, "a.png", ".png", set(), force=False)
    assert list(tmp_path.iterdir()) == []
