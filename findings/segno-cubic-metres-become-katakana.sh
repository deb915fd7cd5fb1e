#!/usr/bin/env bash
# segno 1.6.6 and zxing-cpp 3.1.1: the QR code of `4831.5 m³` reads `4831.5 mｳ`, and that of `±0.5` reads `ｱ0.5`.
#
# Input: QR codes that segno.make draws of `4831.5 m³`, `21.5 °C`, `±0.5`, `12½` and `4831.5 kWh`, as labels of meters
# and thermometers have them. Guess: the text that went in. Segno chooses the first encoding that has the signs, here
# ISO 8859-1, which the standard gives as the default of such codes, so that none need be named.
# Seen: zxing-cpp gives half-width Japanese letters in place of the signs: where no encoding is named it guesses, and
# a single byte above 0xA0 between ASCII looks like Shift JIS to it. OpenCV reads all five right from the same pictures.
# eci=True in segno changes nothing, as it names only what is not the default. With encoding="utf-8" all are right.
# Nothing warns. Issues 51 and 62 of zxing-cpp have the guess for bytes that are no text, and issue 1500 of zxing has
# it for letters with accents; for a text of segno none was found.
# Why it matters: the unit is lost or changed, and a program that looks for `m³` or `°C` in the text finds none and may
# take the bare number. Write codes with encoding="utf-8"; of codes of others, decode the bytes of the result yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6 zxing-cpp==3.1.1 numpy==2.4.6 opencv-python-headless==5.0.0.93
cat > "$folder/show.py" << 'PYTHON'
import io
import sys
from importlib.metadata import version

import cv2
import numpy as np
import segno
import zxingcpp

print("segno", version("segno"), "zxing-cpp", version("zxing-cpp"))


def drawn(text: str, **options: object) -> np.ndarray:
    """Return the picture of a QR code of segno."""
    file = io.BytesIO()
    segno.make(text, micro=False, **options).save(file, kind="png", scale=8, border=4)
    return cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)


wanted = {"4831.5 m³": "4831.5 mｳ", "21.5 °C": "21.5 ｰC", "±0.5": "ｱ0.5", "12½": "12ｽ", "4831.5 kWh": "4831.5 kWh"}
as_found = True
for text, expected in wanted.items():
    (result,) = zxingcpp.read_barcodes(drawn(text))
    by_opencv = cv2.QRCodeDetector().detectAndDecode(drawn(text))[0]
    named = zxingcpp.read_barcodes(drawn(text, eci=True))[0].text
    utf8 = zxingcpp.read_barcodes(drawn(text, encoding="utf-8"))[0].text
    own = bytes(result.bytes).decode("latin-1")
    print(f"{text!r}: zxing-cpp {result.text!r}, OpenCV {by_opencv!r}, the bytes as ISO 8859-1 {own!r}")
    print(f"    zxing-cpp with eci=True {named!r}, with UTF-8 {utf8!r}")
    as_found &= result.text == named == expected and by_opencv == utf8 == own == text
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
