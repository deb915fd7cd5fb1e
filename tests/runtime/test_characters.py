from digitocr.runtime.characters import DOUBT, OTHER, SIGNS, Character


def test_a_place_is_where_a_digit_stands_told_or_not():
    places = [one for one in f"0123456789{DOUBT}{SIGNS}{OTHER}" if Character(one, (0, 0, 1, 1), 0.5, 0).is_place]
    assert "".join(places) == f"0123456789{DOUBT}"
