#!/usr/bin/env bash
# image-js 1.7.0 and upng-js 2.1.0 read a PNG of few bits as slanted noise where a line does not fill whole bytes.
#
# Input: a drawn 4 as PNG: grey of 1 bit, and palettes of 1 and 4 bits, 27, 28 and 32 pixels wide, as scanners, fax
# software and PNG optimizers write them. Guess: the picture, from decode() of image-js and toRGBA8() of upng-js, as
# pngjs 7.0.0 gives it; or an error, as image-js raises for grey of 2 and 4 bits.
# Seen: each line of a PNG begins at a byte. image-js does not step over the bits that fill the last byte, so palettes
# shear where lines do not fill it: 1 bit at 27 and 28, 4 bits at 27. It drops such bits of grey of 1 bit from the first
# byte of a line instead of the last, which is wrong at all three widths, and at 32 drops that whole byte. upng-js
# shears grey of 1 bit at 27 and 28, and is right with palettes. Sizes are right, and nothing warns. Issue 50 of
# image-js/fast-png, on whose output image-js works, has palettes of 4 bits, open since 2025. For upng-js none was
# found.
# Why it matters: scans are of 1 bit, and 28 is the width of MNIST's digits. The same picture with 8 bits is right, so
# tests pass and the small files are noise. Read PNG with pngjs or sharp, or save it with 8 bits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund image-js@1.7.0 upng-js@2.1.0 pngjs@7.0.0 > /dev/null
cat > show.mjs << 'SCRIPT'
import { deflateSync } from 'node:zlib';
import { decode } from 'image-js';
import { PNG } from 'pngjs';
import UPNG from 'upng-js';

const FOUR = ['.....#..', '....##..', '...#.#..', '..#..#..', '.#...#..', '.######.', '.....#..', '.....#..'];

function crc(bytes) {
  let value = -1;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]), ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

// Grey or a palette of black and white; white is the index 1
function png(width, bits, palette) {
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, FOUR.length, bits, palette ? 3 : 0, 0, 0, 0]);
  const lines = FOUR.map((line) => {
    const text = line.padStart(width - 4, '.').padEnd(width, '.');
    const packed = Buffer.alloc(1 + Math.ceil((width * bits) / 8));
    [...text].forEach((sign, x) => {
      if (sign === '.') packed[1 + ((x * bits) >> 3)] |= 1 << (8 - bits - ((x * bits) & 7));
    });
    return packed;
  });
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', Buffer.from([0, 0, 0, 255, 255, 255]))] : []),
    chunk('IDAT', deflateSync(Buffer.concat(lines))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

// Each gives the first channel as lines of text
const shown = (data, channels, width) => FOUR.map((_, y) =>
  Array.from({ length: width }, (_, x) => (data[(y * width + x) * channels] < 128 ? '#' : '.')).join(''));
const ways = {
  pngjs: (file) => shown(PNG.sync.read(file).data, 4, PNG.sync.read(file).width),
  'image-js': (file) => {
    const image = decode(file);
    return shown(image.getRawImage().data, image.channels, image.width);
  },
  'upng-js': (file) => {
    const image = UPNG.decode(new Uint8Array(file).buffer);
    return shown(new Uint8Array(UPNG.toRGBA8(image)[0]), 4, image.width);
  },
};
const kinds = { 'grey of 1 bit': [1, false], 'palette of 1 bit': [1, true], 'palette of 4 bits': [4, true] };
const wrong = new Set();
for (const [kind, [bits, palette]] of Object.entries(kinds)) {
  for (const width of [27, 28, 32]) {
    const wanted = FOUR.map((line) => line.padStart(width - 4, '.').padEnd(width, '.')).join();
    const results = Object.entries(ways).map(([way, read]) => {
      const right = read(png(width, bits, palette)).join() === wanted;
      if (!right) wrong.add(`${way}, ${kind}, ${width}`);
      return `${way} ${right ? 'right' : 'wrong'}`;
    });
    console.log(`${kind}, ${width} wide: ${results.join(', ')}`);
  }
}
console.log(`image-js, palette of 1 bit, 28 wide:\n${ways['image-js'](png(28, 1, true)).join('\n')}`);
const found = [
  ...[27, 28, 32].map((width) => `image-js, grey of 1 bit, ${width}`),
  ...[27, 28].flatMap((width) => [`image-js, palette of 1 bit, ${width}`, `upng-js, grey of 1 bit, ${width}`]),
  'image-js, palette of 4 bits, 27',
];
if (wrong.size !== found.length || !found.every((name) => wrong.has(name))) {
  console.error('the behaviour has changed');
  process.exit(1);
}
SCRIPT
node show.mjs
