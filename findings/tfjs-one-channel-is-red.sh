#!/usr/bin/env bash
# TensorFlow.js 4.22.0: tf.browser.fromPixels(picture, 1) is the red channel, so digits in red ink on paper are gone.
#
# Input: a white page with strokes in red, blue and black, as pixels of a canvas. Guess: one channel is grey, as
# decode_jpeg(channels=1) of TensorFlow, "L" of Pillow and IMREAD_GRAYSCALE of OpenCV are: 76, 29 and 0 on 255.
# Seen: 255, 0 and 0 on 255: red ink is as white as the paper, and blue ink as dark as black. The documentation says
# that a number below 4 "allows you to ignore channels". tf.image.rgbToGrayscale of three channels gives luma, but
# cuts what it should round: of int32 pixels white is 254 and not 255. No issue about the first was found; issue 68 of
# tensorflow/tfjs has the same of a function for data sets.
# Why it matters: it is how examples feed a drawn digit to a network in a page. It is right for grey pixels and for a
# black pen, and blind for red displays on white, corrections in red, and stamps. Take three channels, then
# rgbToGrayscale of float32 pixels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 > /dev/null
cat > show.mjs << 'SCRIPT'
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

const inks = { red: [255, 0, 0], blue: [0, 0, 255], black: [0, 0, 0], paper: [255, 255, 255] };
const data = new Uint8Array(Object.values(inks).flatMap((ink) => [...ink, 255]));
const picture = { data, width: 4, height: 1 };
const three = tf.browser.fromPixels(picture);
const found = {
  'fromPixels, 1 channel': tf.browser.fromPixels(picture, 1),
  'rgbToGrayscale of int32': tf.image.rgbToGrayscale(three),
  'rgbToGrayscale of float32': tf.image.rgbToGrayscale(tf.cast(three, 'float32')),
};
console.log('TensorFlow.js', tf.version_core, 'of', Object.keys(inks).join(', '));
for (const [name, tensor] of Object.entries(found)) {
  found[name] = [...tensor.dataSync()].map((grey) => +grey.toFixed(2)).join();
  console.log(`${name}: ${found[name]}`);
}
const wanted = ['255,0,0,255', '76,29,0,254', '76.22,29.07,0,254.97'];
const same = Object.values(found).every((greys, place) => greys === wanted[place]);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs 2> stderr || { cat stderr; exit 1; }
