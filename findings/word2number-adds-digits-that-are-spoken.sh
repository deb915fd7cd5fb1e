#!/usr/bin/env bash
# word2number 1.1 adds or multiplies digits that are spoken one by one: "four eight three one" is 36.
#
# Input: meter readings as people dictate them, and as speech recognition writes them down: digit by digit, in pairs,
# with zeros in front, and with a minus. As controls numbers that are spoken as one number.
# Guess: 4831, or an error: "two thousand one thousand" raises a ValueError that asks for a valid number word.
# Seen: "four eight three one" is 36, "forty eight thirty one" 351, "nine zero one" 1 and "zero zero four two" 6. "minus
# twelve point five" is 12.5: words that are not in its list are left out. All without an error. In the code, two words
# are added, and of three or four the first is multiplied by the second, as if the second were "hundred", and the others
# are added. Of five and more only the first counts. text2num keeps the digits apart and in order. Issues 33 (negative
# numbers), 48 ("nineteen ninety six" is 1716) and 56 ("minus") of akshaynagpal/w2n are open.
# Why it matters: the result is a number as small as a plausible reading. Whoever asks for a reading by voice gets
# digits one by one. Use text2num's alpha2digit and join what it gives, or check that "hundred" or "thousand" was said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check word2number==1.1 text2num==3.1.0
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

from text_to_num import alpha2digit
from word2number import w2n

print("word2number", version("word2number"), "text2num", version("text2num"))
wanted = {
    "four thousand eight hundred thirty one": 4831,
    "forty eight point three one": 48.31,
    "two million twenty three thousand and forty nine": 2023049,
    "four eight three one": 36,
    "forty eight thirty one": 351,
    "nine zero one": 1,
    "zero zero four two": 6,
    "four eight": 12,
    "four eight three one five": 4,
    "minus twelve point five": 12.5,
}
as_found = True
for text, value in wanted.items():
    found = w2n.word_to_num(text)
    print(f"{text!r}: {found}; text2num gives {alpha2digit(text, 'en')!r}")
    as_found &= found == value
try:
    w2n.word_to_num("two thousand one thousand")
    as_found = False
except ValueError as error:
    print("'two thousand one thousand':", error)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
