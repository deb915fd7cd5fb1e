#!/usr/bin/env bash
# sharp 0.35.5 makes a picture of 16 bits black with linear(-1, 255) and with threshold(128, { grayscale: false }).
#
# Input: a grey ramp of 11 pixels from black to white as PNG, once with 8 bits and once with 16, and a few methods that
# take a grey level or work on levels. Guess: the same picture from both files. The threshold is documented as "a value
# in the range 0-255", and raw() and jpeg() give levels from 0 to 255 for both files.
# Seen: they are the same with negate(), threshold(128), extend() and modulate(). With 16 bits, linear(-1, 255), which
# makes a negative of 8 bits, is black everywhere, and linear(1, 60) changes nothing that can be seen; so it is with the
# offset of convolve(). linear(-1, 65535) is right there, and makes 8 bits white everywhere. threshold(128,
# { grayscale: false }) is black everywhere too: it sets 255, and white is 65535. boolean() with a raw mask of 255 and
# "eor", which makes a negative of 8 bits, changes nothing. No error, no warning, and the documentation of these methods
# has no word of 16 bits. In sharp's source, Linear, Threshold and Boolean take the numbers as they are; trim() and the
# background colours multiply them. Issue 3605 of lovell/sharp has a linear() that was black with any numbers, fixed in
# 2023; for levels of 0 to 255 none was found.
# Why it matters: white digits on black are made black on white before they are read. A scan or a camera of more than 8
# bits gives an empty page. Use negate() and threshold(n), or give the bytes of raw() to a second sharp().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund sharp@0.35.5 pngjs@7.0.0 > /dev/null
cat > show.mjs << 'SCRIPT'
import { PNG } from 'pngjs';
import sharp from 'sharp';

const WIDTH = 11, HEIGHT = 3;
function ramp(bits) {
  const values = Array.from({ length: WIDTH * HEIGHT }, (_, n) => Math.round(((n % WIDTH) / 10) * (2 ** bits - 1)));
  const data = Buffer.from((bits === 16 ? Uint16Array : Uint8Array).from(values).buffer);
  return PNG.sync.write({ width: WIDTH, height: HEIGHT, data },
    { bitDepth: bits, colorType: 0, inputColorType: 0, inputHasAlpha: false });
}
const files = { 8: ramp(8), 16: ramp(16) };
const mask = () => [Buffer.alloc(WIDTH * HEIGHT, 255), 'eor', { raw: { width: WIDTH, height: HEIGHT, channels: 1 } }];
const one = [0, 0, 0, 0, 1, 0, 0, 0, 0];
const ways = {
  'no method': (image) => image,
  'negate()': (image) => image.negate(),
  'threshold(128)': (image) => image.threshold(128),
  'extend({ left: 1, background: "#3c3c3c" })': (image) => image.extend({ left: 1, background: '#3c3c3c' }),
  'modulate({ lightness: 20 })': (image) => image.modulate({ lightness: 20 }),
  'raw() first, then linear(-1, 255)': async (image) => {
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return sharp(data, { raw: info }).linear(-1, 255);
  },
  'linear(-1, 255)': (image) => image.linear(-1, 255),
  'linear(1, 60)': (image) => image.linear(1, 60),
  'linear(-1, 65535)': (image) => image.linear(-1, 65535),
  'convolve with offset 60': (image) => image.convolve({ width: 3, height: 3, kernel: one, offset: 60 }),
  'threshold(128, { grayscale: false })': (image) => image.threshold(128, { grayscale: false }),
  'boolean(255, "eor")': (image) => image.boolean(...mask()),
};
const differ = [], seen = {};
for (const [name, way] of Object.entries(ways)) {
  const lines = {};
  for (const bits of [8, 16]) {
    const { data, info } = await (await way(sharp(files[bits]))).raw().toBuffer({ resolveWithObject: true });
    lines[bits] = Array.from({ length: info.width }, (_, x) => data[(info.width + x) * info.channels]);
    console.log(`${name}, ${bits} bits: ${lines[bits].join(' ')}`);
  }
  seen[name] = lines;
  if (lines[8].some((level, x) => Math.abs(level - lines[16][x]) > 2)) differ.push(name);
}
const all = (line, level) => line.every((one) => one === level);
const same = differ.join('; ') === Object.keys(ways).slice(6).join('; ')
  && ['linear(-1, 255)', 'threshold(128, { grayscale: false })'].every((name) => all(seen[name][16], 0))
  && all(seen['linear(-1, 65535)'][8], 255)
  && ['linear(1, 60)', 'convolve with offset 60', 'boolean(255, "eor")'].every(
    (name) => seen[name][16].every((level, x) => Math.abs(level - seen['no method'][16][x]) <= 1));
console.log('sharp', sharp.versions.sharp);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
