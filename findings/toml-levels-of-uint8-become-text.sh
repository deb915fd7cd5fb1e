#!/usr/bin/env bash
# toml 0.10.2 writes a threshold of np.uint8(128) as the text "np.uint8(128)", also with its encoder for NumPy.
#
# Input: settings with numbers of NumPy: uint8, uint16, int8, bool, int64, float32 and float64, and an array of uint8;
# toml.dumps with its defaults, and with encoder=toml.TomlNumpyEncoder().
# Guess: with the encoder for NumPy they are numbers. The README says that floats of NumPy are text by default, and that
# this encoder is for them; what it does not take is an error.
# Seen: with the encoder, int64, float32 and float64 are numbers. uint8, uint16, int8 and bool are text in quotes:
# "np.uint8(128)" and "np.True_". An array of two levels is two such texts. Without the encoder all are text, also whole
# numbers, of which the README says nothing. Nothing warns, and toml reads the text back as text. In the source, the
# encoder names float16 to float64 and int16 to int64, and a type that is not named is written by its repr. tomli-w and
# tomlkit raise an error for uint8. Issue 138 of uiri/toml, closed in 2018, has floats and asks for other types that are
# missing.
# Why it matters: a threshold, a level of paper or a label that comes from a picture is uint8. The file looks right in
# a test with float or int64, and the program that reads it gets a text that is no number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  toml==0.10.2 tomli-w==1.2.0 tomlkit==0.15.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import toml
import tomli_w
import tomlkit

print("toml", version("toml"))
same = True


def read_back(value, **options):
    """What toml reads of what it wrote."""
    return toml.loads(toml.dumps({"level": value}, **options))["level"]


def other(writer, value) -> str:
    try:
        return writer({"level": value}).strip()
    except (TypeError, ValueError) as error:
        return type(error).__name__


for value, wanted, refused in (
    (128, 128, False),
    (np.float64(2.5), 2.5, False),
    (np.float32(2.5), 2.5, True),
    (np.int64(128), 128, True),
    (np.uint8(128), "np.uint8(128)", True),
    (np.uint16(50000), "np.uint16(50000)", True),
    (np.int8(-3), "np.int8(-3)", True),
    (np.bool_(True), "np.True_", True),
    (np.array([8, 255], np.uint8), ["np.uint8(8)", "np.uint8(255)"], True),
):
    encoded, plain = read_back(value, encoder=toml.TomlNumpyEncoder()), read_back(value)
    others = other(tomli_w.dumps, value), other(tomlkit.dumps, value)
    print(f"{value!r}: with the encoder {encoded!r}, without {plain!r}, tomli-w {others[0]}, tomlkit {others[1]}")
    same &= encoded == wanted and (("np." in str(plain)) == (type(value) is not int))
    same &= all(("Error" in text) == refused for text in others)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
