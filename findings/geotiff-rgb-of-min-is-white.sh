#!/usr/bin/env bash
# geotiff 3.0.5: readRGB of a min-is-white TIFF makes white paper black, and that of 1 bit is grey at best.
#
# Input: one row of ink, greys and paper as grey TIFF files of 8, 4 and 1 bits, min-is-black and min-is-white, without
# compression. Guess: readRGB, "as RGB" whatever the colours of the file, gives 0 for black and 255 for white.
# Seen: min-is-white of 8 bits turns each grey right but for white, which is 0: paper and ink are black, the greys
# between them lie as they should. A value 256 is written to a byte and wraps. min-is-black is right in 8 bits. In 1 bit
# its paper is 128, in 4 bits 240; 1 bit of min-is-white is the negative, ink 128 on paper 0. No error or warning.
# readRasters gives the file's values as they are, as documented. No issue was found.
# Why it matters: scans and faxes are min-is-white as a rule, and this is the reader of TIFF in browsers. A page of
# digits becomes black with a thin grey rim around each stroke. Read readRasters and turn it by the file's tag
# PhotometricInterpretation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund geotiff@3.0.5 > /dev/null
cat > show.mjs << 'SCRIPT'
import { fromArrayBuffer } from 'geotiff';

// A TIFF of one row; photometric: 0 if the least value is white, 1 if it is black; bytes: the packed row
function tiff(width, bits, photometric, bytes) {
  const tags = [[256, width], [257, 1], [258, bits], [259, 1], [262, photometric], [273, 8], [277, 1], [278, 1],
    [279, bytes.length]];
  const start = 8 + 2 * Math.ceil(bytes.length / 2);
  const file = Buffer.alloc(start + 2 + 12 * tags.length + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(start, 4);
  file.set(bytes, 8);
  file.writeUInt16LE(tags.length, start);
  tags.forEach(([tag, value], place) => {
    const entry = start + 2 + 12 * place;
    file.writeUInt16LE(tag, entry);
    file.writeUInt16LE(4, entry + 2); // LONG
    file.writeUInt32LE(1, entry + 4);
    file.writeUInt32LE(value, entry + 8);
  });
  return file;
}

const files = { // the file, its grey levels from 0 to 255, and what readRGB gives
  '8 bits, min-is-black': [tiff(4, 8, 1, [255, 120, 0, 255]), [255, 120, 0, 255], [255, 120, 0, 255]],
  '8 bits, min-is-white': [tiff(4, 8, 0, [0, 135, 255, 0]), [255, 120, 0, 255], [0, 121, 1, 0]],
  '4 bits, min-is-black': [tiff(4, 4, 1, [0xf7, 0x0f]), [255, 119, 0, 255], [240, 112, 0, 240]],
  '4 bits, min-is-white': [tiff(4, 4, 0, [0x08, 0xf0]), [255, 119, 0, 255], [0, 128, 16, 0]],
  '1 bit, min-is-black': [tiff(4, 1, 1, [0b11010000]), [255, 255, 0, 255], [128, 128, 0, 128]],
  '1 bit, min-is-white': [tiff(4, 1, 0, [0b00100000]), [255, 255, 0, 255], [0, 0, 128, 0]],
};
let same = true;
for (const [name, [file, greys, wanted]] of Object.entries(files)) {
  const image = await (await fromArrayBuffer(new Uint8Array(file).buffer)).getImage();
  const red = Array.from(await image.readRGB()).filter((_, place) => place % 3 === 0);
  console.log(`${name}: in the file ${greys}; readRGB ${red}; readRasters ${(await image.readRasters())[0]}`);
  same &&= `${red}` === `${wanted}`;
}
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
