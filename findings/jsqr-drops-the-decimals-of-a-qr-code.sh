#!/usr/bin/env bash
# jsqr 1.4.0 reads the QR code of `4831.5 m³` as `4831`, and that of `21.5 °C` as an empty text.
#
# Input: QR codes that zxing-cpp 3.1.1 and segno 1.6.6 draw with their defaults: texts in ISO 8859-1, the encoding that
# the standard has where none is named. zxing-cpp stores runs of digits in a shorter way of their own, and the rest as
# bytes. Guess: the text; or null, which jsQR gives where it reads nothing; or a wrong sign in place of ³ and °.
# Seen: each run of bytes that is no UTF-8 becomes nothing, while the other runs stay: `4831,5 m³` is 4831,
# `1785394012 ±12,5 l` is 1785394012, and `1785394012±0004831` is 17853940120004831. Codes of one run, as segno draws
# them, are an empty text. All have a location and a version, as codes that were read have. Nothing warns. The same
# texts in UTF-8, and texts without signs, are right. The documentation says that data is the string version of the QR
# code data. Issue 129 of cozmo/jsQR, open since April 2019, has the assumption of UTF-8, and issue 239, open since June
# 2023, a text that was cut.
# Why it matters: a label of a meter or a sample gives another number, which nothing tells from a right one. Take the
# text from all bytes, new TextDecoder('latin1').decode(code.binaryData), where a chunk of type byte has no text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6 zxing-cpp==3.1.1 numpy==2.4.6
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jsqr@1.4.0 > /dev/null
cat > write.py << 'PYTHON'
import json
import pathlib
import sys

import numpy
import segno
import zxingcpp

TEXTS = ["4831.5 m³", "4831,5 m³", "1785394012 ±12,5 l", "1785394012½", "1785394012±0004831", "21.5 °C", "4831,5 l"]


def by_zxing(text, **options):
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, **options)
    return numpy.pad(numpy.array(code.to_image(scale=4)), 16, constant_values=255)


def by_segno(text, **options):
    lines = segno.make(text, micro=False, **options).matrix_iter(scale=4, border=4)
    return numpy.array([[0 if dark else 255 for dark in line] for line in lines], dtype=numpy.uint8)


codes = []
as_found = True
for text in TEXTS:
    for writer, picture in (
        ("zxing-cpp", by_zxing(text)),
        ("segno", by_segno(text)),
        ("segno, UTF-8", by_segno(text, encoding="utf-8")),
    ):
        (read,) = zxingcpp.read_barcodes(picture)
        as_found &= read.bytes.decode("utf-8" if "UTF-8" in writer else "latin-1") == text
        height, width = picture.shape
        grey = picture.tobytes().hex()
        codes.append({"text": text, "writer": writer, "width": width, "height": height, "grey": grey})
pathlib.Path("codes.json").write_text(json.dumps(codes))
print("the bytes that zxing-cpp reads are those of the text:", as_found)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
venv/bin/python write.py
cat > read.mjs << 'SCRIPT'
import jsQR from 'jsqr';
import { readFileSync } from 'node:fs';

const wanted = {
  '4831.5 m³': '4831', '4831,5 m³': '4831', '1785394012 ±12,5 l': '1785394012', '1785394012½': '1785394012',
  '21.5 °C': '', '4831,5 l': '4831,5 l', '1785394012±0004831': '17853940120004831',
};
let same = true;
for (const { text, writer, width, height, grey } of JSON.parse(readFileSync('codes.json'))) {
  const pixels = new Uint8ClampedArray(4 * width * height);
  Buffer.from(grey, 'hex').forEach((value, place) => pixels.set([value, value, value, 255], 4 * place));
  const code = jsQR(pixels, width, height);
  const runs = code.chunks.map((chunk) => `${chunk.type} "${chunk.text}"`).join(', ');
  console.log(`${text}, ${writer}: "${code.data}" (${runs})`);
  const utf8 = writer.includes('UTF-8');
  same &&= code.data === (utf8 || text === '4831,5 l' ? text : writer === 'segno' ? '' : wanted[text]);
  same &&= new TextDecoder(utf8 ? 'utf-8' : 'latin1').decode(Uint8Array.from(code.binaryData)) === text;
}
console.log('jsqr', JSON.parse(readFileSync('node_modules/jsqr/package.json')).version);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node read.mjs
