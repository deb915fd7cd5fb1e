#!/usr/bin/env bash
# jimp 1.6.1: Jimp.fromBitmap of one digit out of an array of many gives the first digit, whichever was asked for.
#
# Input: three RGBA pictures of 28x28 in one Uint8Array, as a data set or a batch of crops is held, and
# digits.subarray(3136 * n, 3136 * (n + 1)) as data. Guess: the picture has these pixels, or a copy of them.
# Seen: all three are the first digit: it takes the whole ArrayBuffer behind the part, from its start, and neither
# looks at the offset nor at the length, so bitmap.data is three times too long. The same for a Buffer, as the
# documentation's example gives it. Even an array of its own is not copied: invert() changes the caller's array.
# slice() in place of subarray(), and sharp 0.35.5 with raw data, are right. No issue that mentions it was found.
# Why it matters: a loop over a data set or over crops reads one digit again and again, each with good confidence. A
# test with one picture in an array of its own does not show it. Give it data.slice().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jimp@1.6.1 sharp@0.35.5 > /dev/null
cat > show.mjs << 'SCRIPT'
import { Jimp } from 'jimp';
import sharp from 'sharp';

const width = 28, height = 28, bytes = 4 * width * height;
const greys = [10, 20, 30];
const digits = new Uint8Array(greys.length * bytes);
greys.forEach((grey, n) => digits.fill(grey, n * bytes, (n + 1) * bytes));
const picture = (data) => Jimp.fromBitmap({ data, width, height }).bitmap.data;
const part = (n) => digits.subarray(n * bytes, (n + 1) * bytes);
const found = {};
for (const [name, data] of Object.entries({
  subarray: part,
  'Buffer of the part': (n) => Buffer.from(digits.buffer, n * bytes, bytes),
  slice: (n) => part(n).slice(),
})) {
  found[name] = greys.map((_, n) => picture(data(n))[0]);
  console.log(`${name}: given ${greys}, Jimp has ${found[name]}, ${picture(data(1)).length} bytes of ${bytes}`);
}
const raw = { width, height, channels: 4 };
const bySharp = await Promise.all(greys.map((_, n) => sharp(part(n), { raw }).raw().toBuffer()));
console.log(`sharp has ${bySharp.map((data) => data[0])}`);
const own = part(2).slice();
Jimp.fromBitmap({ data: own, width, height }).invert();
console.log(`an array of its own after invert() of the picture: ${own[0]}`);
const same = `${found.subarray}` === '10,10,10' && `${found['Buffer of the part']}` === '10,10,10'
  && `${found.slice}` === `${greys}` && `${bySharp.map((data) => data[0])}` === `${greys}`
  && picture(part(1)).length === digits.length && own[0] === 225;
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
