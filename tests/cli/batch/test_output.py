import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digitocr.cli.batch import output, render
from digitocr.runtime.errors import OutputError, UsageError


def line(source, error=None):
    return render.json_line(source, None, error)


def done_before(path):
    """What --resume skips of the run that wrote the file, which is then as it is continued."""
    with output.LineFile(path, resume=True, force=False) as lines:
        return lines.done


def test_a_new_file_is_written_and_one_that_is_there_is_kept(tmp_path):
    path = tmp_path / "lines"
    with output.LineFile(path, resume=False, force=False) as lines:
        assert not path.exists()
        output.say("ä\udcff", lines.opened())
        assert path.read_bytes() == "ä\\udcff\n".encode()  # at once
    with pytest.raises(OutputError, match=r"exists already; .*--resume.*--force"):
        output.LineFile(path, resume=False, force=False).opened()
    path.write_text("")
    with output.LineFile(path, resume=True, force=False) as lines:
        output.say("second", lines.opened())
    assert path.read_text() == "second\n"
    with output.LineFile(path, resume=False, force=True) as lines:
        assert path.read_text() == "second\n"
        output.say("new", lines.opened())
    assert path.read_text() == "new\n"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        output.LineFile(tmp_path / "none" / "lines", resume=False, force=False).opened()
    with (
        pytest.raises(OutputError, match="/dev/full cannot be written"),
        output.LineFile(Path("/dev/full"), resume=False, force=True) as full,
    ):
        output.say("a line", full.opened())


def test_a_reader_that_has_gone_ends_the_run():
    reader, writer = os.pipe()
    os.close(reader)
    path = Path(f"/dev/fd/{writer}")
    with pytest.raises(SystemExit) as ended, output.LineFile(path, resume=False, force=True) as lines:
        output.say("a line", lines.opened())
    os.close(writer)
    assert ended.value.code == 9


def test_an_earlier_run_is_taken_up_without_its_errors_and_its_unfinished_line(tmp_path):
    path = tmp_path / "lines"
    whole = [line("a.png"), line("new\nline\udcff.png")]
    for rest in ("", "{", line("c.png")[:9], line("c.png")[:80], line("c.png")):
        path.write_text("\n".join([whole[0], line("bad.png", "bad.png: why"), whole[1], rest]))
        assert done_before(path) == {"a.png": False, "new\nline\udcff.png": False}
        assert path.read_text() == "\n".join([*whole, ""])
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_to_be_read_is_not_written_to(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a picture")
    (tmp_path / "link").symlink_to("a.png")
    for source in (tmp_path / "a.png", tmp_path / "link"):
        with pytest.raises(UsageError, match=r"a\.png: is a file to be read"):
            output.refuse_source(tmp_path / "a.png", ["none.png", str(source)])
    for one in ("a.png", "b.png"):
        output.refuse_source(tmp_path / one, ["-", "0", "none.png", str(tmp_path), "x" * 999, "a\0"])


def test_without_an_earlier_run_nothing_is_taken_up(tmp_path):
    assert done_before(tmp_path / "lines") == {}
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
        json.dumps({"schema": "digitocr/2"}) + "\n",
        json.dumps({"schema": "digitocr/2", "source": ["a.png"], "error": None}) + "\n",
        json.dumps({"schema": "digitocr/2", "source": "a.png", "error": None, "pages": "3"}) + "\n",
        json.dumps({"schema": "digitocr/2", "source": "a.png", "error": None, "page": [1]}) + "\n",
    ],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_text(line("a.png") + "\n" + content)
    with pytest.raises(OutputError, match=r"notes\.txt:2: is not a line of digitocr predict --jsonl"):
        done_before(path)
    assert path.read_text() == line("a.png") + "\n" + content
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        done_before(tmp_path)
    with pytest.raises(OutputError, match="is a folder; name a file to write to"):
        output.LineFile(tmp_path, resume=False, force=False).opened()


def test_what_a_power_cut_leaves_behind_the_last_line_is_removed(tmp_path):
    path = tmp_path / "lines"
    for rest in (b"\0" * 5000, line("b.png")[:30].encode() + b"\0" * 9, b"\0\0" + line("c.png").encode() + b"\n"):
        path.write_bytes(line("a.png").encode() + b"\n" + rest)
        assert done_before(path) == {"a.png": False}
        assert path.read_text() == line("a.png") + "\n"
    for other in (bytes(5000), (line("a.png") + "\n").encode() + b"notes\0"):
        path.write_bytes(other)
        with pytest.raises(OutputError, match="is not a line of"):
            done_before(path)
        assert path.read_bytes() == other


@pytest.mark.parametrize("resume", [True, False])
def test_two_runs_do_not_write_to_one_file(tmp_path, resume):
    path = tmp_path / "lines"
    path.write_text(line("a.png") + "\n" + line("b.png", "b.png: why") + "\n")  # of which one line is removed
    with output.LineFile(path, resume=True, force=False) as lines:
        output.say(line("b.png"), lines.opened())
        with pytest.raises(OutputError, match="another run writes to it"):
            output.LineFile(path, resume=resume, force=not resume).opened()
        output.say(line("c.png"), lines.opened())
    assert done_before(path) == {"a.png": False, "b.png": False, "c.png": False}


def test_a_file_that_was_replaced_since_it_was_opened_is_another_run_s(tmp_path, monkeypatch):
    path = tmp_path / "lines"
    path.write_text(line("a.png") + "\n")
    monkeypatch.setattr(output, "identities", lambda _: set())
    with pytest.raises(OutputError, match="another run writes to it"):
        done_before(path)


def test_a_file_that_is_taken_up_keeps_its_permissions_and_a_link_leads_to_it(tmp_path):
    path, link = tmp_path / "lines", tmp_path / "link"
    path.write_text(line("a.png") + "\n" + line("b.png", "b.png: why") + "\n")
    path.chmod(0o640)
    link.symlink_to(path)
    with output.LineFile(link, resume=True, force=False) as lines:
        output.say(line("b.png"), lines.opened())
    assert link.is_symlink()
    assert path.read_text() == line("a.png") + "\n" + line("b.png") + "\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_not_continued(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # which nobody reads
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(OutputError, match="is a device"):
            done_before(path)


def test_a_name_as_long_as_can_be_gets_a_shorter_result(tmp_path):
    folder = output.ResultFolder(tmp_path / "out", ".png", force=False)
    for name in ("a" * 251, "a" * 250 + "b", "ä" * 125):
        folder.save(name.encode(), name)
    assert sorted(path.read_text()[-1] for path in (tmp_path / "out").iterdir()) == ["a", "b", "ä"]


def test_control_characters_become_escapes():
    assert output.plain("a\tb\n\x7f ä") == "a\\tb\\n\\x7f ä"
    assert (
        output.plain("a\u202egnp\u2069\ud800") == "a\\u202egnp\\u2069\\ud800"
    )  # which turn the writing, and what is none
    assert output.plain("a\x9b31m\u2028b\u202fc") == "a\\x9b31m\\u2028b\u202fc"  # 0x9b begins a terminal's command


def test_names_do_not_collide_and_earlier_files_are_kept(tmp_path):
    drawn = output.ResultFolder(tmp_path / "out", ".png", force=False)
    saved = [drawn.save(b"drawn", source) for source in ("a/1.png", "b/1.png", "1.png-2", "c/1.png", "-", "-#2")]
    names = ["1.png-2-2.png", "1.png-2.png", "1.png-3.png", "1.png.png", "stdin#2.png", "stdin.png"]
    assert sorted(path.name for path in saved) == names
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    with pytest.raises(OutputError, match="exists already"):
        output.ResultFolder(tmp_path / "out", ".png", force=False).save(b"again", "a/1.png")
    assert (tmp_path / "out" / "1.png.png").read_bytes() == b"drawn"
    output.ResultFolder(tmp_path / "out", ".png", force=True).save(b"again", "a/1.png")
    assert (tmp_path / "out" / "1.png.png").read_bytes() == b"again"


def test_a_folder_that_cannot_be_made_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        output.ResultFolder(tmp_path / "file", ".png", force=False).save(b"drawn", "a.png")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_disk_that_is_full_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    def fill(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fill)
    with pytest.raises(OutputError, match=r"a\.png\.png: cannot be written \(No space left on device\)"):
        output.ResultFolder(tmp_path, ".png", force=False).save(b"drawn", "a.png")
    assert list(tmp_path.iterdir()) == []


def protected(folder, *inputs, output_=None, drawn=None):
    folders = [output.ResultFolder(folder / drawn, ".png", force=True)] if drawn is not None else []
    output.protect_inputs(lambda: [str(folder / one) for one in inputs], output_ and folder / output_, folders)
    return folders


def test_no_result_overwrites_an_input(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("page", "page.png", "other.png", "in/a"):
        (tmp_path / name).write_bytes(b"a picture")
    (tmp_path / "link").symlink_to("page.png")
    for inputs, targets in (
        (("page", "page.png"), {"drawn": ""}),
        (("page", "link"), {"drawn": ""}),  # the same file by another name
        (("in/page", "other.png", "page", "in/page", "page.png"), {"drawn": ""}),
        (("page", "page.png"), {"output_": "page.png"}),
        (("page.png",), {"output_": "link"}),
    ):
        with pytest.raises(UsageError, match="would be overwritten; name another"):
            protected(tmp_path, *inputs, **targets)
    for inputs, targets in (
        (("page.png",), {"drawn": ""}),
        (("page", "other.png"), {"drawn": "", "output_": "lines"}),
        (("in/a", "other.png"), {"drawn": "in"}),
    ):
        protected(tmp_path, *inputs, **targets)


def test_a_result_whose_name_only_reading_tells_does_not_overwrite_an_input(tmp_path):
    for name in ("scan.tif", "scan.tif#2.png"):
        (tmp_path / name).write_bytes(b"a picture")
    (drawn,) = protected(tmp_path, "scan.tif", "scan.tif#2.png", drawn="")
    drawn.save(b"drawn", "scan.tif#1")
    with pytest.raises(UsageError, match=r"scan\.tif#2\.png: is a picture to be read"):
        drawn.save(b"drawn", "scan.tif#2")
    assert (tmp_path / "scan.tif#2.png").read_bytes() == b"a picture"


def test_inputs_are_not_listed_where_nothing_could_be_overwritten(tmp_path):
    folder = output.ResultFolder(tmp_path / "new", ".png", force=False)
    output.protect_inputs(lambda: pytest.fail("listed"), tmp_path / "lines", [folder])


ROWS = [
    render.json_line("a.png", None, None),
    render.json_line("scan.tif", None, None, 0, 3),
    render.json_line("scan.tif", None, None, 1, 3),
    render.json_line("scan.tif", None, None, 2, 3),
    render.json_line("bad\n.png", None, "bad.png: why"),
    render.json_line("ä\udcff.png", None, None),
]
WHOLE = "".join(f"{row}\n" for row in ROWS).encode()
ENDS = [len(part) for part in itertools.accumulate(f"{row}\n".encode() for row in ROWS)]  # bytes up to each line's end


@settings(
    derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, len(WHOLE)))
@example(cut=ENDS[1])
@example(cut=ENDS[3])
@example(cut=ENDS[3] - 1)
def test_a_run_that_was_cut_anywhere_is_taken_up_at_the_pictures_that_it_read_as_a_whole(tmp_path, cut):
    path = tmp_path / "lines"
    path.write_bytes(WHOLE[:cut])
    whole = sum(end <= cut for end in ENDS)
    expected = [row for row, needed in zip(ROWS, (1, 4, 4, 4, 99, 6), strict=True) if needed <= whole]
    assert list(done_before(path)) == list(dict.fromkeys(json.loads(row)["source"] for row in expected))
    assert path.read_text().splitlines() == expected
    assert list(done_before(path)) == list(dict.fromkeys(json.loads(row)["source"] for row in expected))
    assert list(tmp_path.iterdir()) == [path]


def test_digits_on_any_page_are_digits_of_the_document(tmp_path):
    rows = [json.loads(render.json_line("scan.tif", None, None, page, 2)) for page in range(2)]
    rows[0]["text"] = "407"
    (tmp_path / "lines").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert done_before(tmp_path / "lines") == {"scan.tif": True}
