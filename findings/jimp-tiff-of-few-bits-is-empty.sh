#!/usr/bin/env bash
# jimp 1.6.1 reads a grey TIFF of 4, 10 or 12 bits, and one of 2 bits whose 0 is white, as black and transparent.
#
# Input: a grey ramp of 24x16 pixels as uncompressed TIFF of 1, 2, 4, 8, 10, 12 and 16 bits, black or white at 0, as
# scanners of few greys and cameras of many write them; and one in RGB whose three planes follow each other. Guess: the
# ramp; or an error, as sharp 0.35.5 raises for 10 and 12 bits, being right with the others.
# Seen: right for 1, 8 and 16 bits, for 2 bits where 0 is black, and for 4 bits where 0 is white. The others come with
# the right size and every byte 0, alpha included: utif2 4.1.0, which reads TIFF for jimp, has no case for them and
# gives the empty picture. The planes are read as if the colours of a pixel were neighbours: three narrow ramps in a
# line. Nothing warns. utif2's documentation says that toRGBA8 "converts any TIFF image into a 8-bit RGBA image". No
# issue that mentions it was found.
# Why it matters: a page without ink looks like an empty field, and its reading is nothing at all instead of a failure.
# Refuse a picture whose alpha is 0 throughout, and read TIFF with sharp, or save it with 8 bits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jimp@1.6.1 utif2@4.1.0 sharp@0.35.5 > /dev/null
cat > show.mjs << 'SCRIPT'
import { Jimp } from 'jimp';
import sharp from 'sharp';
import UTIF from 'utif2';

const WIDTH = 24, HEIGHT = 16;
const ramp = (x, bits) => Math.round((x * (2 ** bits - 1)) / (WIDTH - 1));

// Little-endian TIFF of one strip; samples are packed from the highest bit, and those of 16 bits are little-endian
function tiff(bits, whiteAtZero, planes = 1) {
  const line = Math.ceil((WIDTH * bits) / 8), pixels = Buffer.alloc(line * HEIGHT * planes);
  for (let y = 0; y < HEIGHT * planes; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const value = whiteAtZero ? 2 ** bits - 1 - ramp(x, bits) : ramp(x, bits);
      if (bits === 16) pixels.writeUInt16LE(value, y * line + 2 * x);
      else for (let bit = 0; bit < bits; bit++) {
        const place = x * bits + bit;
        if ((value >> (bits - 1 - bit)) & 1) pixels[y * line + (place >> 3)] |= 0x80 >> (place & 7);
      }
    }
  }
  // After the header of 8 bytes: bits of each plane, offsets and sizes of the strips, each in 16 bytes; then the pixels
  const lists = Buffer.alloc(48), strips = 56;
  for (let plane = 0; plane < planes; plane++) {
    lists.writeUInt16LE(bits, 2 * plane);
    lists.writeUInt32LE(strips + plane * line * HEIGHT, 16 + 4 * plane);
    lists.writeUInt32LE(line * HEIGHT, 32 + 4 * plane);
  }
  const many = planes > 1;
  const tags = [
    [256, 3, 1, WIDTH], [257, 3, 1, HEIGHT], [258, 3, planes, many ? 8 : bits], [259, 3, 1, 1],
    [262, 3, 1, many ? 2 : whiteAtZero ? 0 : 1], [273, 4, planes, many ? 24 : strips], [277, 3, 1, planes],
    [278, 3, 1, HEIGHT], [279, 4, planes, many ? 40 : line * HEIGHT], [284, 3, 1, many ? 2 : 1],
  ];
  const directory = Buffer.alloc(2 + 12 * tags.length + 4), header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(strips + pixels.length, 4);
  directory.writeUInt16LE(tags.length, 0);
  tags.forEach(([tag, type, count, value], n) => {
    directory.writeUInt16LE(tag, 2 + 12 * n);
    directory.writeUInt16LE(type, 4 + 12 * n);
    directory.writeUInt32LE(count, 6 + 12 * n);
    directory.writeUInt32LE(value, 10 + 12 * n);
  });
  return Buffer.concat([header, lists, pixels, directory]);
}

async function judged(data, bits) {
  if (data.every((byte) => byte === 0)) return 'black and transparent';
  const near = (x) => Math.abs(data[4 * x] - (255 * ramp(x, bits)) / (2 ** bits - 1)) <= 1;
  return Array.from({ length: WIDTH }, (_, x) => near(x) && data[4 * x + 3] === 255).every(Boolean) ? 'right' : 'wrong';
}

const found = {};
for (const [name, file, bits] of [
  ...[1, 2, 4, 8, 10, 12, 16].flatMap((bits) => [false, true].map(
    (white) => [`${bits} bits, ${white ? 'white' : 'black'} at 0`, tiff(bits, white), bits])),
  ['RGB in planes', tiff(8, false, 3), 8],
]) {
  const { bitmap } = await Jimp.read(file);
  const [page] = UTIF.decode(file);
  UTIF.decodeImage(file, page);
  if (bitmap.width !== WIDTH || bitmap.height !== HEIGHT) throw new Error('size');
  found[name] = [await judged(bitmap.data, bits), await judged(UTIF.toRGBA8(page), bits)];
  const bySharp = await sharp(file).toColourspace('srgb').ensureAlpha().raw().toBuffer().then(
    (data) => judged(data, bits), (error) => `an error (${error.message})`);
  console.log(`${name}: jimp ${found[name][0]}, utif2 ${found[name][1]}, sharp ${bySharp}`);
}
const planes = (await Jimp.read(tiff(8, false, 3))).bitmap.data;
console.log('RGB in planes, red of the first line:', Array.from({ length: WIDTH }, (_, x) => planes[4 * x]).join(' '));
const wanted = (name) => (name === 'RGB in planes' ? 'wrong'
  : /^(4 bits, black|1[02] bits|2 bits, white)/.test(name) ? 'black and transparent' : 'right');
const same = Object.entries(found).every(([name, both]) => both.every((one) => one === wanted(name)));
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
