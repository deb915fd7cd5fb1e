import sys
from pathlib import Path

import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import get_data_path

from digitocr.runtime.errors import InputError, MissingExtraError
from digitocr.train.synthesis.fonts import find_fonts, held_out, seen

BUNDLED = Path(get_data_path()) / "fonts" / "ttf"  # Matplotlib brings some fonts along


def test_fonts_of_a_folder_are_those_with_letters(tmp_path):
    names = [path.name for path in find_fonts(BUNDLED)]
    assert names == sorted(names)
    assert {"DejaVuSans.ttf", "DejaVuSerif-Bold.ttf"} <= set(names)
    assert not {"STIXSizOneSymReg.ttf", "STIXSizFiveSymReg.ttf"} & set(names)  # brackets and roots alone
    assert (BUNDLED / "STIXSizOneSymReg.ttf").exists()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "A.TTF").write_bytes((BUNDLED / "DejaVuSans.ttf").read_bytes())
    (tmp_path / "damaged.ttf").write_bytes(b"no font")
    subset.main(
        [str(BUNDLED / "DejaVuSans.ttf"), "--text=0123", "--notdef-outline", f"--output-file={tmp_path}/digits.ttf"]
    )
    (tmp_path / "notes.txt").write_text("nothing")
    assert find_fonts(tmp_path) == [tmp_path / "sub" / "A.TTF"]


def test_a_folder_without_fonts_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"no font with letters in it; give a folder .* --fonts DIR"):
        find_fonts(tmp_path)


def test_fonts_of_the_machine_need_matplotlib_to_be_found(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.font_manager", None)
    with pytest.raises(MissingExtraError, match=r"digitocr\[train\]"):
        find_fonts(None)


def test_fonts_of_the_machine_are_asked_for(monkeypatch):
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [str(BUNDLED / "DejaVuSans.ttf")])
    assert find_fonts(None) == [BUNDLED / "DejaVuSans.ttf"]


@pytest.fixture
def families(tmp_path: Path) -> dict[str, Path]:
    """Font files by the names of their families."""
    found = {}
    for name in ("Karla", "Karla Tamil", "Lato", "Playwrite AT", "Lora", "LORA Bold", "Poppins", "Open Sans"):
        font = TTFont(BUNDLED / "DejaVuSans.ttf")
        for record in font["name"].names:
            if record.nameID in (1, 16):
                record.string = name
        found[name] = tmp_path / f"{len(found)}.ttf"
        font.save(found[name])
    return found


def test_families_are_held_out_by_the_first_word_of_their_name(families: dict[str, Path]) -> None:
    kept = held_out(list(families.values()))
    assert [name for name, path in families.items() if path in kept] == [
        "Karla",
        "Karla Tamil",
        "Lora",
        "LORA Bold",
        "Open Sans",
    ]
    assert held_out([families["Poppins"]]) == []
    assert [path for path in families.values() if path not in kept] == seen(list(families.values()))
    assert seen([families["Lora"]]) == [families["Lora"]]  # better than none
