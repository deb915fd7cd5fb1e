#!/usr/bin/env bash
# jimp 1.6.1 reads a BMP of 4 bits as black where its width is odd, and a BMP with run lengths as green on black.
#
# Input: a black or red 4 on white paper as BMP with a palette, 27 and 28 pixels wide: of 1, 4 and 8 bits, and of 4 and
# 8 bits with run lengths (RLE), as Paint writes 4 bits and older software run lengths. Guess: the picture, as
# @napi-rs/canvas 1.1.1 reads it; or an error.
# Seen: 1 and 8 bits are right, and 4 bits at 28. At 27, all lines of 4 bits but the lowest are black: bmp-ts 1.0.9,
# which reads BMP for jimp, stops at the end of a line whose last byte holds one pixel, and takes the other lines as
# read. With run lengths, white is (0, 255, 0): what is stored for blue comes as green, and red and blue are 0, since
# each colour is put at the sum of two places. So a red 4 is as black as a black one, and yellow paper is black. Sizes
# and alpha are right, and nothing warns. No issue that mentions it was found.
# Why it matters: a black page has no digits, and a green one has other greys, so that thresholds miss thin strokes.
# Half of all widths are odd, so tests with 28 or 640 pixels pass. Read BMP with @napi-rs/canvas, or save it with 8 or
# 24 bits and no compression.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jimp@1.6.1 bmp-ts@1.0.9 @napi-rs/canvas@1.1.1 > /dev/null
cat > show.mjs << 'SCRIPT'
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { Jimp } from 'jimp';

const FOUR = ['.....#..', '....##..', '...#.#..', '..#..#..', '.#...#..', '.######.', '.....#..', '.....#..'];
const drawn = (width) => FOUR.map((line) => line.padStart(width - 4, '.').padEnd(width, '.'));

// Index 0 is the ink, 1 the paper; each colour is red, green, blue
function bmp(width, bits, runs, ink) {
  const lines = drawn(width).reverse().map((text) => {
    const values = [...text].map((sign) => (sign === '.' ? 1 : 0));
    if (runs) {
      const byte = (value) => (bits === 4 ? value * 17 : value);
      const pairs = text.match(/(.)\1*/g).flatMap((run) => [run.length, byte(run[0] === '.' ? 1 : 0)]);
      return Buffer.from([...pairs, 0, 0]);
    }
    const packed = Buffer.alloc(4 * Math.ceil((width * bits) / 32));
    values.forEach((value, x) => { packed[(x * bits) >> 3] |= value << (8 - bits - ((x * bits) & 7)); });
    return packed;
  });
  const pixels = Buffer.concat(runs ? [...lines, Buffer.from([0, 1])] : lines);
  const palette = Buffer.alloc(4 * 2 ** bits);
  [ink, [255, 255, 255]].forEach((colour, n) => palette.set([...colour].reverse(), 4 * n));
  const header = Buffer.alloc(54);
  header.write('BM');
  header.writeUInt32LE(54 + palette.length + pixels.length, 2);
  header.writeUInt32LE(54 + palette.length, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(FOUR.length, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(runs ? (bits === 4 ? 2 : 1) : 0, 30);
  header.writeUInt32LE(pixels.length, 34);
  return Buffer.concat([header, palette, pixels]);
}

// Which colours stand where ink and paper are, in all lines but the lowest and in the lowest
function judged(data, width) {
  const seen = { ink: new Set(), paper: new Set(), lowest: new Set() };
  drawn(width).forEach((line, y) => [...line].forEach((sign, x) => {
    const colour = [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)].join(' ');
    seen[y === FOUR.length - 1 ? 'lowest' : sign === '.' ? 'paper' : 'ink'].add(colour);
  }));
  return Object.entries(seen).map(([name, colours]) => `${name} ${[...colours].join(' or ')}`).join(', ');
}
const right = (ink) => `ink ${ink} 255, paper 255 255 255 255, lowest 255 255 255 255 or ${ink} 255`;
const black = (ink) => `ink 0 0 0 255, paper 0 0 0 255, lowest 255 255 255 255 or ${ink} 255`;
const green = 'ink 0 0 0 255, paper 0 255 0 255, lowest 0 255 0 255 or 0 0 0 255';
const kinds = { '1 bit': [1, false], '8 bits': [8, false], '4 bits': [4, false], RLE8: [8, true], RLE4: [4, true] };
let same = true;
for (const [kind, [bits, runs]] of Object.entries(kinds)) {
  for (const width of [28, 27]) {
    for (const ink of [[0, 0, 0], [255, 0, 0]]) {
      const file = bmp(width, bits, runs, ink), { bitmap } = await Jimp.read(file);
      const canvas = createCanvas(width, FOUR.length).getContext('2d');
      canvas.drawImage(await loadImage(file), 0, 0);
      const found = judged(bitmap.data, width);
      const other = judged(canvas.getImageData(0, 0, width, FOUR.length).data, width);
      const name = ink.join(' '), wanted = runs ? green : kind === '4 bits' && width === 27 ? black(name) : right(name);
      console.log(`${kind}, ${width} wide, ink ${name}: ${found}; canvas ${other === right(name) ? 'right' : other}`);
      same &&= bitmap.width === width && bitmap.height === FOUR.length && found === wanted && other === right(name);
    }
  }
}
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
