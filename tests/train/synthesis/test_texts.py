import re

import numpy as np
import pytest

from digitocr.train.synthesis import texts
from digitocr.train.synthesis.texts import KINDS, text


def drawn(kind, count=200):
    return [kind(np.random.default_rng((7, number))) for number in range(count)]


@pytest.mark.parametrize("kind", [*KINDS, text])
def test_the_same_seed_gives_the_same_text_and_seeds_differ(kind):
    one = drawn(kind, 40)
    assert one == drawn(kind, 40)
    assert len(set(one)) > 20
    assert all(made.strip() for made in one)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (lambda rng: texts.number(rng, 2, 5), r"\d{2,5}"),
        (texts.decimal, r"[-+]?(\d{1,4}|\d{1,3}([.,])\d{3})[.,]\d{1,3}"),
        (texts.time, r"\d{1,2}(:\d\d){1,2}( ?[ap]m| PM|h)?"),
        (texts.date, r"\d+(( / |[-/.])\d+){1,2}|\d+ [A-Za-z]+ \d+|[A-Za-z]+ \d+, \d+"),
        (texts.groups, r"\+?\d{2,4}(( {1,2}|[-./])\d{2,4})+"),
        (texts.bracketed, r"[^\d]*\d{1,4}[^\d]*"),
        (texts.word, r"[A-Za-z]{2,10}"),
        (texts.labelled, r"[A-Za-z.]+[:.]*( [=#])? .*\d.*"),
        (texts.amount, r"\D*[\d.,]+\D*"),
        (texts.measure, r"[-+]?\d[\d.,]*(/\d)? ?[A-Za-z]"),
        (texts.item, r"\d{1,2}( -|[.):]|) [A-Za-z]+"),
        (texts.formula, r"([A-Z][a-z]?\d{0,2}){2,4}"),
        (texts.between, r"[A-Z]{1,2}\d{1,2}[A-Z]{1,2}"),
        (texts.signs, r"[^\d]+"),
        (texts.cells, r"\S+( {2,5}\S+)+"),
    ],
)
def test_a_text_has_the_form_of_its_kind(kind, form):
    for made in drawn(kind):
        assert re.fullmatch(form, made), made


def test_a_grouped_number_has_another_mark_before_its_last_digits():
    grouped = [re.findall("[.,]", made) for made in drawn(texts.decimal, 400)]
    assert {tuple(marks) for marks in grouped} == {(".",), (",",), (".", ","), (",", ".")}


def test_zeros_and_ones_are_more_frequent_than_other_digits():
    counts = np.bincount([int(digit) for made in drawn(texts.number, 2000) for digit in made], minlength=10)
    assert counts[:2].min() > 1.3 * counts[2:].max()


def test_brackets_are_closed_only_where_they_were_opened():
    for made in drawn(texts.equation, 400):
        depths = np.cumsum([(one == "(") - (one == ")") for one in made])
        assert depths.min(initial=0) >= 0
        assert depths.max(initial=0) <= 1


def test_algebra_has_letters_beside_digits_and_signs():
    made = drawn(texts.algebra)
    assert all(re.fullmatch(r"(\{ |√|f\(x\) = )?[a-z0-9()+\-=/ ]+", one) for one in made)
    assert np.mean([bool(re.search(r"\d[a-z]", one)) for one in made]) > 0.5
    assert np.mean([bool(re.search(r"\d", one)) for one in made]) > 0.8
