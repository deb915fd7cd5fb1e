from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from digitocr.train.synthesis.scripts import Scripts, joined, script_fonts

BUNDLED = Path(get_data_path()) / "fonts" / "ttf"
SANS = BUNDLED / "DejaVuSans.ttf"  # has Cyrillic, Greek, Hebrew and Arabic letters


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def scripts():
    return Scripts([SANS])


def test_a_font_serves_the_scripts_that_it_has(scripts, tmp_path):
    assert set(scripts.scripts) >= {"arabic", "cyrillic", "greek"}
    assert not {"han", "kana", "hangul", "thai", "icons"} & set(scripts.scripts)
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert Scripts([tmp_path / "broken.ttf"]).scripts == ()


def test_words_are_letters_of_one_script_and_are_drawn(scripts):
    for script, first, last in (("cyrillic", "А", "я"), ("greek", "Α", "ω")):
        for seed in range(20):
            word, letter = scripts.word(rng(seed), script)
            assert 2 <= len(word) <= 9
            assert all(first <= character <= last for character in word)
            for character in word:
                glyph = letter(character, rng())
                assert glyph.ink.max() > 150
                assert 0.3 < glyph.height < 1.7
                assert -1.4 < glyph.top < 0


def test_no_word_has_a_numeral_and_short_ones_have_nothing_like_a_digit(scripts):
    for seed in range(200):
        word, _ = scripts.word(rng(seed))
        assert not any(character.isnumeric() for character in word)
        if len(word) < 3:
            assert not set("ОоЗзЧчбΟο") & set(word) or word != word.lower()


def test_arabic_letters_are_joined_and_stand_from_right_to_left(scripts):
    assert joined("باب") == "\ufe91\ufe8e\ufe8f"  # initial, final after which nothing joins, isolated
    assert joined("ا") == "\ufe8d"
    word, letter = scripts.word(rng(3), "arabic")
    assert all(0xFE80 <= ord(character) <= 0xFEF4 for character in word)
    assert letter(word[0], rng()).width > 0


def test_the_same_state_gives_the_same_word(scripts):
    assert [scripts.word(rng(seed))[0] for seed in range(8)] == [scripts.word(rng(seed))[0] for seed in range(8)]


def test_fonts_are_found_in_the_folder_beside_that_of_the_fonts(tmp_path):
    (tmp_path / "fonts").mkdir()
    assert script_fonts(str(tmp_path / "fonts")) == script_fonts("") == []
    beside = tmp_path / "fonts-scripts"
    beside.mkdir()
    for name in ("b.woff2", "a.ttf", "a.txt"):
        (beside / name).touch()
    assert [path.name for path in script_fonts(str(tmp_path / "fonts"))] == ["a.ttf", "b.woff2"]
