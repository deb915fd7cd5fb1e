#!/usr/bin/env bash
# image-js 1.7.0 reads a BMP with a palette by its indices: a scan that is stored white first becomes a negative.
#
# Input: one row of dark ink on white paper as BMP, of 1 bit with the palette black, white and white, black, and of 8
# bits with the palette of greys in order and with the few greys that the picture has, as reducing its colours leaves
# them. Guess: the grey levels that the palette says, for all four.
# Seen: decode() gives a grey picture of the indices, for 1 bit times 255. So it is right where the palette is black
# to white in order, the negative of the 1-bit picture whose palette begins with white, and nearly black for the few
# greys: 0, 1 and 2. No error or warning, as it raises for the kinds of BMP that it does not know. jimp 1.6.1 is right
# in all four. The README of its decoder, fast-bmp 4.0.1, lists binary and greyscale files and has no word of
# palettes; no issue was found.
# Why it matters: BMP is what small devices and Windows' tools write, and both orders of black and white are usual.
# The files look right in each viewer. A threshold by Otsu hides the darkness of the few greys, not their order, and
# finds the paper as ink in the negative. Convert such files to PNG of 8 bits, whose palette it honours.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund image-js@1.7.0 jimp@1.6.1 > /dev/null
cat > show.mjs << 'SCRIPT'
import { decode } from 'image-js';
import { Jimp } from 'jimp';

const HEADER = 124; // bytes, of version 5, which image-js asks for

// An uncompressed BMP of one row; palette: grey levels, row: the bytes of the indices
function bmp(bits, width, palette, row) {
  const colours = 14 + HEADER, start = colours + 4 * palette.length, padded = 4 * Math.ceil(row.length / 4);
  const file = Buffer.alloc(start + padded);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(start, 10);
  file.writeUInt32LE(HEADER, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(1, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(bits, 28);
  file.writeUInt32LE(padded, 34);
  file.writeUInt32LE(palette.length, 46);
  file.write('BGRs', 70); // the colour space sRGB
  palette.forEach((grey, index) => file.fill(grey, colours + 4 * index, colours + 4 * index + 3));
  file.set(row, start);
  return file;
}

const greys = Array.from({ length: 256 }, (_, grey) => grey);
const files = {
  '1 bit, black first': [bmp(1, 8, [0, 255], [0b11100111]), [255, 255, 255, 0, 0, 255, 255, 255]],
  '1 bit, white first': [bmp(1, 8, [255, 0], [0b00011000]), [255, 255, 255, 0, 0, 255, 255, 255]],
  '8 bits, all greys': [bmp(8, 4, greys, [250, 120, 30, 250]), [250, 120, 30, 250]],
  '8 bits, three greys': [bmp(8, 4, [250, 30, 120], [0, 2, 1, 0]), [250, 120, 30, 250]],
};
const wrong = { '1 bit, white first': '0,0,0,255,255,0,0,0', '8 bits, three greys': '0,2,1,0' };
let same = true;
for (const [name, [file, wanted]] of Object.entries(files)) {
  const image = decode(new Uint8Array(file));
  const found = wanted.map((_, place) => image.getValueByIndex(place, 0)).join();
  const right = [...(await Jimp.read(file)).bitmap.data].filter((_, place) => place % 4 === 0).join();
  console.log(`${name}: in the file ${wanted}; image-js ${image.colorModel} ${found}; jimp ${right}`);
  same &&= right === `${wanted}` && found === (wrong[name] ?? right);
}
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
