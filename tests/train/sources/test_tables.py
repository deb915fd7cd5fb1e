import json

import pytest

from digitocr.runtime.errors import InputError
from digitocr.train.idx import TEST, TRAIN
from digitocr.train.sources.labelled import NONE, Gathered
from digitocr.train.sources.tables import (
    digits_in,
    entries_of_csv,
    entries_of_folder,
    entries_of_json,
    has_class_folders,
    is_pixels,
)


@pytest.fixture
def gathered():
    return Gathered("here")


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_a_folder_for_each_class(gathered, tmp_path):
    made(tmp_path, "7/b.png", "7/a.JPG", "none/c.png", "7/notes.txt", "7/.hidden.png", "old/x.png", "read.me")
    assert has_class_folders(tmp_path)
    found = list(entries_of_folder(tmp_path, gathered))
    assert [(entry.file, entry.label, entry.group, entry.part) for entry in found] == [
        (f"{tmp_path}/7/a.JPG", 7, "", ""),
        (f"{tmp_path}/7/b.png", 7, "", ""),
        (f"{tmp_path}/none/c.png", NONE, "", ""),
    ]
    assert [(trouble.kind, trouble.name) for trouble in gathered.troubles] == [
        ("left out", f"{tmp_path}/old"),
        ("left out", f"{tmp_path}/read.me"),
        ("left out", f"{tmp_path}/7/notes.txt"),
    ]


def test_folders_above_class_folders_are_parts_or_groups_and_those_below_are_groups(gathered, tmp_path):
    made(tmp_path, "train/7/a.png", "Test/7/b.png", "meter 3/7/c.png", "meter 3/7/deep/d.png", "misc/e.png")
    found = list(entries_of_folder(tmp_path, gathered))
    assert [(entry.file[-5], entry.group, entry.part) for entry in found] == [
        ("b", "", TEST),
        ("c", "meter 3", ""),
        ("d", "meter 3", ""),
        ("a", "", TRAIN),
    ]
    assert [trouble.name for trouble in gathered.troubles] == [f"{tmp_path}/misc"]
    made(tmp_path, "flat/7/ann/e.png")
    assert next(entries_of_folder(tmp_path / "flat", gathered)).group == "ann"


def test_a_link_that_leads_back_is_left_out(gathered, tmp_path):
    made(tmp_path, "3/a.png", "3/meter/b.png")
    (tmp_path / "3" / "meter" / "back").symlink_to(tmp_path / "3", target_is_directory=True)
    assert len(list(entries_of_folder(tmp_path, gathered))) == 2
    assert [(one.kind, one.name) for one in gathered.troubles] == [("left out", str(tmp_path / "3/meter/back"))]


def test_a_link_that_leads_to_itself_is_a_picture_that_cannot_be_read(gathered, tmp_path):
    made(tmp_path, "3/a.png")
    (tmp_path / "3" / "loop.png").symlink_to("loop.png")
    assert [entry.name for entry in entries_of_folder(tmp_path, gathered)] == [
        str(tmp_path / "3" / name) for name in ("a.png", "loop.png")
    ]


def test_other_folders_have_no_class_folders(tmp_path):
    made(tmp_path, "a.png", "pictures/b.png")
    assert not has_class_folders(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "file,label,group,part\na.png,7,m,test\nb.png,none,,\n",
        "\ufeffFile;Label;Meter;Split\na.png;7;m;test\n\nb.png;none;;\n",
        "path\tdigit\twriter\tset\na.png\t7\tm\tTest\nb.png\tno digit\n",
    ],
)
def test_tables(text, gathered, tmp_path):
    made(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text(text, "utf-8")
    first, second = entries_of_csv(tmp_path / "labels.csv", gathered)
    assert (first.file, first.label, first.group, first.part) == (str(tmp_path / "a.png"), 7, "m", TEST)
    assert first.name == f"{tmp_path / 'labels.csv'}:2 (a.png)"
    assert (second.file, second.label, second.group, second.part) == (str(tmp_path / "b.png"), NONE, "", "")
    assert gathered.troubles == []


@pytest.mark.parametrize("names", ["file;label\n", ""])
def test_the_line_that_tells_excel_the_delimiter_is_none_of_the_table(names, gathered, tmp_path):
    (tmp_path / "a.csv").write_text(f"\ufeffsep=;\n{names}x.png;7\n", "utf-8")
    (entry,) = entries_of_csv(tmp_path / "a.csv", gathered)
    assert (entry.file, entry.label) == (str(tmp_path / "x.png"), 7)
    assert entry.name == f"{tmp_path / 'a.csv'}:{3 if names else 2} (x.png)"


def test_a_table_without_names_of_columns_and_one_of_texts(gathered, tmp_path):
    (tmp_path / "a.csv").write_text("x/a.png,7\nx/b.png,8\n")
    assert [(one.label, one.text) for one in entries_of_csv(tmp_path / "a.csv", gathered)] == [(7, None), (8, None)]
    (tmp_path / "b.csv").write_text('file,text\na.png,"0407"\nb.png,\n')
    assert [(one.label, one.text) for one in entries_of_csv(tmp_path / "b.csv", gathered)] == [
        (None, "0407"),
        (None, ""),
    ]


@pytest.mark.parametrize("names", ["label,text,group,meter", "text,label,meter,group"])
def test_an_empty_cell_says_nothing_where_another_one_does(names, gathered, tmp_path):
    cells = {"label": ["7", ""], "text": ["", "0407"], "group": ["", "b"], "meter": ["a", ""]}
    rows = [",".join([f"{row}.png", *(cells[name][row] for name in names.split(","))]) for row in (0, 1)]
    (tmp_path / "l.csv").write_text("\n".join([f"file,{names}", *rows]))
    first, second = entries_of_csv(tmp_path / "l.csv", gathered)
    assert (first.label, first.text, first.group) == (7, None, "a")
    assert (second.label, second.text, second.group) == (None, "0407", "b")
    (tmp_path / "b.csv").write_text("file,text,boxes,turned,page\na.png,407,,,\n")
    (entry,) = entries_of_csv(tmp_path / "b.csv", gathered)
    assert (entry.text, entry.boxes, entry.turned, entry.page) == ("407", None, 0, 0)


def test_a_space_behind_a_comma_does_not_hide_the_quotes(gathered, tmp_path):
    (tmp_path / "l.csv").write_text('"file", "label", "group"\n"a.png", "7", "x, y"\n')
    (entry,) = entries_of_csv(tmp_path / "l.csv", gathered)
    assert (entry.file, entry.label, entry.group) == (str(tmp_path / "a.png"), 7, "x, y")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_text_in_quotes_may_have_several_lines(end, gathered, tmp_path):
    (tmp_path / "l.csv").write_bytes(f'file,text{end}a.png,"12{end}34"{end}b.png,5{end}'.encode())
    first, second = entries_of_csv(tmp_path / "l.csv", gathered)
    assert (first.text.splitlines(), second.text) == (["12", "34"], "5")
    assert second.name == f"{tmp_path / 'l.csv'}:4 (b.png)"


@pytest.mark.parametrize(("before", "line"), [("", 1), ("file,label\n", 2)])
def test_a_line_that_is_too_long_is_refused_with_its_number(before, line, gathered, tmp_path):
    (tmp_path / "l.csv").write_text(f"{before}{'a' * 200_000},1\n")
    with pytest.raises(InputError, match=f"l.csv:{line}: is no line of a CSV"):
        list(entries_of_csv(tmp_path / "l.csv", gathered))


def test_lines_that_are_wrong_are_told_with_their_number(gathered, tmp_path):
    (tmp_path / "l.csv").write_text("file,label,part\na.png,x,\n,7,\nb.png,7,holdout\nc.png,,\nd.png,7,\n")
    assert len(list(entries_of_csv(tmp_path / "l.csv", gathered))) == 1
    assert [(one.kind, one.name.rsplit(":", 1)[1]) for one in gathered.troubles] == [
        ("no digit", str(line)) for line in (2, 3, 4, 5)
    ]
    assert "'x', which is no digit" in gathered.troubles[0].why


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "name the columns"), ("a,b\n", "name the columns"), ("file,size\na.png,3\n", "no column label or text")],
)
def test_tables_without_the_columns_are_refused(text, why, gathered, tmp_path):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(InputError, match=why):
        list(entries_of_csv(tmp_path / "l.csv", gathered))


def test_a_table_of_pixels_is_told_from_one_of_files(tmp_path):
    (tmp_path / "p.csv").write_text("label," + ",".join(f"pixel{at}" for at in range(784)) + "\n")
    (tmp_path / "q.csv").write_text(",".join(["7", *["0"] * 784]) + "\n")
    (tmp_path / "s.csv").write_text("label;" + ";".join(f"pixel{at}" for at in range(784)) + "\n")
    (tmp_path / "f.csv").write_text("file,label\n")
    assert [is_pixels(tmp_path / f"{name}.csv") for name in ("p", "q", "s", "f", "none")] == [True] * 3 + [False] * 2


def reading(text, digits, **more):
    """A line of predict --jsonl with one number; digits: as they are named one by one."""
    boxes = [[10 * at, 5, 8, 12] for at in range(len(digits))]
    named = [{"digit": None if one == "?" else int(one), "box": box} for one, box in zip(digits, boxes, strict=True)]
    numbers = [{"text": digits, "digits": named}]
    return {"source": "a.png", "text": text, "lines": [{"text": digits, "numbers": numbers}], "error": None, **more}


def only(rows, folder, gathered, name="l.json"):
    (folder / name).write_text("\n".join(map(json.dumps, rows)) if name.endswith("l") else json.dumps(rows))
    return list(entries_of_json(folder / name, gathered))


@pytest.mark.parametrize("name", ["l.json", "l.jsonl"])
def test_labels_in_json(name, gathered, tmp_path):
    rows = [
        {"file": "a.jpg", "text": "407\n12", "kind": "photo"},
        {"file": "b.jpg", "label": 3, "group": "m", "part": "train"},
        {"file": "c.jpg", "text": "47", "boxes": [[1, 2, 3, 4], [5, 6, 7, 8]]},
    ]
    first, second, third = only(rows, tmp_path, gathered, name)
    assert (first.text, first.label, first.boxes) == ("407\n12", None, None)
    assert (second.text, second.label, second.group, second.part) == (None, 3, "m", TRAIN)
    assert third.boxes == ((1, 2, 3, 4), (5, 6, 7, 8))


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\u0085"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_signs_that_end_a_line_elsewhere_end_none_in_a_list(end, newline, gathered, tmp_path):
    rows = [{"file": "a.jpg", "text": "4", "note": f"one{end}two"}, {"file": f"b{end}.jpg", "text": "7"}]
    lines = tmp_path / "labels.jsonl"
    lines.write_bytes("".join(json.dumps(row, ensure_ascii=False) + newline for row in rows).encode())
    table = tmp_path / "labels.csv"
    table.write_bytes(
        f"{newline}note{end};file;text{newline};a.jpg;4{newline}one{end}two;b{end}.jpg;7{newline}".encode()
    )
    for found in (list(entries_of_json(lines, gathered)), list(entries_of_csv(table, gathered))):
        assert [(entry.file, entry.text) for entry in found] == [
            (f"{tmp_path}/a.jpg", "4"),
            (f"{tmp_path}/b{end}.jpg", "7"),
        ]
    assert not gathered.troubles


def test_a_line_of_predict(gathered, tmp_path):
    (entry,) = only([reading("4?7", "4?7", turned=90, page=2)], tmp_path, gathered, "l.jsonl")
    assert (entry.text, entry.turned, entry.page) == ("4?7", 90, 1)
    assert entry.boxes == ((0, 5, 8, 12), (10, 5, 8, 12), (20, 5, 8, 12))


def test_the_place_of_a_reading_that_differs_from_all_others_is_the_correction(gathered, tmp_path):
    above = reading("407", "401")
    below = reading("401", "401")
    below["lines"][0]["numbers"][0]["digits"][2]["digit"] = 7
    line = reading("401", "401")
    line["lines"][0]["text"] = "407"
    both = reading("407", "407")
    both["lines"][0]["text"] = both["lines"][0]["numbers"][0]["text"] = "401"
    assert [entry.text for entry in only([above, below, both], tmp_path, gathered)] == ["407"] * 3
    assert [entry.text for entry in only([line], tmp_path, gathered)] == ["401"]
    assert gathered.troubles == []


def test_a_reading_that_was_corrected_in_two_ways_is_told(gathered, tmp_path):
    twice = reading("407", "401")
    twice["lines"][0]["text"] = "408"
    half = reading("407", "401")
    half["lines"][0]["text"] = "407"
    assert only([twice, half], tmp_path, gathered) == []
    assert [one.kind for one in gathered.troubles] == ["no digit", "no digit"]
    assert "of one picture; correct one place, or all of them" in gathered.troubles[0].why


def test_a_picture_that_predict_could_not_read_is_told(gathered, tmp_path):
    damaged = [reading("", "", error=error) for error in ("is damaged", "a.png: is damaged")]
    assert only(damaged, tmp_path, gathered) == []
    assert [(one.kind, one.why) for one in gathered.troubles] == [("unreadable", "a.png: is damaged")] * 2


@pytest.mark.parametrize(
    "row",
    [
        *(7, "a", {}, {"file": "a"}, {"file": 3, "label": 3}, {"file": "a", "text": 407}, {"file": "a", "label": [1]}),
        *({"file": "a", "text": "4", "boxes": 3}, {"file": "a", "text": "4", "boxes": [["x"]]}),
        *({"file": "a", "text": "4", "lines": [3]}, {"file": "a", "label": 3, "page": "x"}),
        {"file": "a", "text": "4", "turned": float("inf")},
    ],
)
def test_rows_of_another_form_are_told(row, gathered, tmp_path):
    assert only([row], tmp_path, gathered) == []
    assert [one.kind for one in gathered.troubles] == ["no digit"]
    assert gathered.troubles[0].name.endswith("entry 1")


@pytest.mark.parametrize("content", ["{", "[1", "a,b", "[" * 100_000])
def test_what_is_no_json_is_refused(content, gathered, tmp_path):
    (tmp_path / "l.json").write_text(content)
    with pytest.raises(InputError, match="no JSON list and no JSON lines"):
        list(entries_of_json(tmp_path / "l.json", gathered))


def test_the_line_that_is_no_json_is_named(gathered, tmp_path):
    (tmp_path / "l.jsonl").write_text('{"file": "a.png", "text": "3"}\n\n{"file": "b.png", "te\n')
    with pytest.raises(InputError, match=r"l\.jsonl:3: is no JSON list and no JSON lines"):
        list(entries_of_json(tmp_path / "l.jsonl", gathered))


def test_a_table_of_a_spreadsheet_s_own_encoding_is_refused_with_what_to_do(gathered, tmp_path):
    (tmp_path / "l.csv").write_bytes("file,text,group\na.png,3,Küche\n".encode("cp1252"))
    with pytest.raises(InputError, match="is not in UTF-8, as spreadsheets may write it; save it as CSV UTF-8"):
        list(entries_of_csv(tmp_path / "l.csv", gathered))


def test_a_file_is_beside_its_list_or_where_one_works(gathered, tmp_path, monkeypatch):
    made(tmp_path, "lists/near.png", "far.png")
    monkeypatch.chdir(tmp_path)
    rows = [{"file": name, "label": 1} for name in ("near.png", "far.png", "no.png")]
    found = [entry.file for entry in only(rows, tmp_path / "lists", gathered)]
    assert found == [str(tmp_path / "lists" / "near.png"), "far.png", str(tmp_path / "lists" / "no.png")]


def test_a_file_may_be_named_as_on_windows(gathered, tmp_path):
    made(tmp_path, "meter 3/ä b.png", "odd\\name.png")
    found = only([{"file": name, "label": 1} for name in ("meter 3\\ä b.png", "odd\\name.png")], tmp_path, gathered)
    assert [entry.file for entry in found] == [str(tmp_path / "meter 3" / "ä b.png"), f"{tmp_path}/odd\\name.png"]


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b.png", "x" * 300 + "\\a.png"])
def test_a_name_that_no_file_can_have_is_as_one_that_is_missing(name, gathered, tmp_path):
    (entry,) = only([{"file": name, "label": 1}], tmp_path, gathered)
    assert entry.file == str(tmp_path / name)


def test_digits_in_a_text():
    assert digits_in("-12.5 m³, 4?٣") == "1254?"
