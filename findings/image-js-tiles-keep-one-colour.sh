#!/usr/bin/env bash
# image-js 1.7.0 reads a coloured TIFF in tiles as torn stripes of red, and drops two thirds of each tile.
#
# Input: a black 4 on white paper of 32x8 pixels as TIFF: grey and RGB, of 8 and 16 bits, with alpha, in strips and in
# tiles of 16x16, as GDAL, libvips and the software of slide scanners write it. Guess: the same picture from all; or an
# error, as for planes and for other compressions.
# Seen: strips are right, and grey in tiles. RGB in tiles has the right size and three channels, but green and blue are
# 0 everywhere. Red holds the upper third of each tile: red, green and blue of a pixel stand side by side as if they
# were three pixels, so that a row of a tile becomes three rows. The lower two thirds are missing. Paper is red, and its
# grey is 54 instead of 255. With alpha it is a quarter, and alpha is 0. tiff 7.1.3, which reads TIFF for image-js,
# takes one value for each pixel of a tile, where it takes all of them in strips. Nothing warns. sharp 0.35.5 is right.
# No issue that mentions it was found.
# Why it matters: a small dark picture with torn strokes looks like a bad scan, and a digit in the lower part of a tile
# is not there at all. Save TIFF in strips, or read it with sharp.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund image-js@1.7.0 tiff@7.1.3 sharp@0.35.5 > /dev/null
cat > show.mjs << 'SCRIPT'
import { decode } from 'image-js';
import sharp from 'sharp';

const WIDTH = 32, HEIGHT = 8, TILE = 16;
const FOUR = ['.....#..', '....##..', '...#.#..', '..#..#..', '.#...#..', '.######.', '.....#..', '.....#..'];
const lines = FOUR.map((line) => `..${line}......${'.'.repeat(6)}${line}..`);
const paper = (x, y) => (lines[y]?.[x] ?? '.') === '.';

// Little-endian TIFF, uncompressed; alpha is 255 everywhere
function tiff(channels, bits, tiled) {
  const size = bits / 8, strips = [];
  const block = (left, width, height) => {
    const data = Buffer.alloc(width * height * channels * size, 255);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * channels * size;
        if (!paper(left + x, y)) data.fill(0, at, at + Math.min(channels, 3) * size);
      }
    }
    return data;
  };
  for (let left = 0; left < WIDTH; left += tiled ? TILE : WIDTH) {
    strips.push(block(left, tiled ? TILE : WIDTH, tiled ? TILE : HEIGHT));
  }
  const entries = [[256, 3, [WIDTH]], [257, 3, [HEIGHT]], [258, 3, Array(channels).fill(bits)], [259, 3, [1]],
    [262, 3, [channels > 1 ? 2 : 1]], [277, 3, [channels]], [284, 3, [1]]];
  const offsets = strips.map((_, n) => 8 + n * strips[0].length), counts = strips.map((strip) => strip.length);
  if (tiled) entries.push([322, 3, [TILE]], [323, 3, [TILE]], [324, 4, offsets], [325, 4, counts]);
  else entries.push([273, 4, offsets], [278, 3, [HEIGHT]], [279, 4, counts]);
  if (channels === 4) entries.push([338, 3, [2]]);
  entries.sort((one, two) => one[0] - two[0]);
  const start = 8 + counts.reduce((sum, count) => sum + count), directory = Buffer.alloc(6 + 12 * entries.length);
  const long = [];
  directory.writeUInt16LE(entries.length);
  entries.forEach(([tag, type, values], n) => {
    const bytes = Buffer.from((type === 3 ? Uint16Array : Uint32Array).from(values).buffer);
    directory.writeUInt16LE(tag, 2 + 12 * n);
    directory.writeUInt16LE(type, 4 + 12 * n);
    directory.writeUInt32LE(values.length, 6 + 12 * n);
    if (bytes.length <= 4) bytes.copy(directory, 10 + 12 * n);
    else {
      directory.writeUInt32LE(start + directory.length + long.reduce((sum, one) => sum + one.length, 0), 10 + 12 * n);
      long.push(bytes);
    }
  });
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(start, 4);
  return Buffer.concat([header, ...strips, directory, ...long]);
}

const drawn = (data, channels, channel, white) => FOUR.map((_, y) => Array.from({ length: WIDTH },
  (_, x) => (data[(y * WIDTH + x) * channels + channel] < white / 2 ? '#' : '.')).join(''));
const right = lines.join();
let same = true;
for (const [name, channels] of [['grey', 1], ['RGB', 3], ['RGB and alpha', 4]]) {
  for (const bits of [8, 16]) {
    for (const tiled of [false, true]) {
      const file = tiff(channels, bits, tiled), image = decode(file), raw = image.getRawImage();
      const found = Array.from({ length: channels }, (_, n) => drawn(raw.data, raw.channels, n, 2 ** bits - 1).join());
      const colours = found.slice(0, 3).map((text) => text === right);
      const empty = found.slice(1).every((text) => !text.includes('.'));
      const { data, info } = await sharp(file).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
      const other = drawn(data, info.channels, 0, 255).join() === right;
      const says = colours.every(Boolean) ? 'right' : empty ? 'one channel, the others 0' : 'wrong';
      const place = tiled ? 'tiles' : 'strips';
      console.log(`${name} of ${bits} bits in ${place}: ${says}; sharp ${other ? 'right' : 'wrong'}`);
      same &&= image.width === WIDTH && raw.channels === channels && other
        && says === (tiled && channels > 1 ? 'one channel, the others 0' : 'right');
      if (tiled && channels === 3 && bits === 8) {
        console.log(found[0].replaceAll(',', '\n'));
        const grey = image.grey().getPixel(0, 0)[0];
        console.log(`white paper in RGB: ${[...raw.data.subarray(0, 3)].join(' ')}; as grey: ${grey}`);
        same &&= grey === 54;
      }
    }
  }
}
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
