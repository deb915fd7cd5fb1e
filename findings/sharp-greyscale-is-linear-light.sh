#!/usr/bin/env bash
# sharp 0.35.5: greyscale() weighs colours in linear light, and the gamma() that its documentation advises makes it
# worse.
#
# Input: pixels of pure red, green and blue. Guess: the grey of OpenCV, Pillow, TensorFlow and canvas code: .299 R +
# .587 G + .114 B of the stored values, that is 76, 150 and 29; at most the weights of Rec. 709.
# Seen: 127, 220 and 76, also from toColourspace("b-w"). libvips turns sRGB into linear light, weighs, and turns it
# back. Its documentation says that the operation is linear and that sRGB wants gamma() with it: then red is 185, green
# 238, blue 147, further from what was expected. Only the mean of the three raw channels by hand avoids it. jimp 1.6.1,
# the other usual library of Node, gives 54, 182 and 18. Issue 193 of lovell/sharp has it as too dark reds, in 2015.
# Why it matters: one pipeline in Node and one in Python feed a network different digits. Red ink on white paper keeps
# half of its range instead of .70, blue ink with gamma() 108 of 255 instead of 226. Black on white does not show it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund sharp@0.35.5 jimp@1.6.1 > /dev/null
cat > show.mjs << 'SCRIPT'
import { Jimp } from 'jimp';
import sharp from 'sharp';

const wanted = { red: [127, 127, 185, 54], green: [220, 220, 238, 182], blue: [76, 76, 147, 18] };
const colours = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255] };
let same = true;
for (const [name, colour] of Object.entries(colours)) {
  const picture = () => sharp({ create: { width: 8, height: 8, channels: 3, background: `rgb(${colour})` } });
  const plain = await picture().greyscale().raw().toBuffer();
  const named = await picture().toColourspace('b-w').raw().toBuffer();
  const advised = await picture().gamma().greyscale().raw().toBuffer();
  const jimp = (await Jimp.read(await picture().png().toBuffer())).greyscale().bitmap.data;
  const found = [plain[0], named[0], advised[0], jimp[0]];
  const luma = Math.round(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]);
  console.log(`${name}: luma ${luma}; greyscale, b-w, gamma and greyscale, jimp: ${found}`);
  same &&= found.every((grey, place) => Math.abs(grey - wanted[name][place]) <= 1);
}
console.log('sharp', sharp.versions.sharp, 'libvips', sharp.versions.vips);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
