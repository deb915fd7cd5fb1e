#!/usr/bin/env bash
# @influxdata/influxdb-client 1.35.0: floatField and intField store what stands before the first odd sign of a text.
#
# Input: readings as text, as they come by MQTT or from a page, given to Point.floatField and Point.intField, whose
# values may be of any type. Guess: an error for a text that is no number: the documentation promises one for NaN, and
# an empty text raises.
# Seen: "4?31", with a digit that could not be read, is stored as 4, "12,5" as 12 and "4 831" as 4. intField cuts
# "12.7" to 12 and takes "1e5" as 1, while floatField has 100000 for it. A number is rounded otherwise than its text:
# -12.5 is -13 and "-12.5" is -12. uintField of the same class raises for each of these texts, but lets an empty one
# through, as the line "m value=u", which no server takes. booleanField is true for "false". No issue was found.
# Why it matters: a reading that is a thousandth of the right one is stored for good, and a rate over it jumps twice.
# Use Number() and Number.isFinite() before, and give a number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @influxdata/influxdb-client@1.35.0 > /dev/null
cat > show.mjs << 'SCRIPT'
import { Point } from '@influxdata/influxdb-client';

const line = (kind, value) => {
  try {
    return new Point('m')[kind]('value', value).timestamp('').toLineProtocol();
  } catch (error) {
    return 'error';
  }
};
const wanted = [ // value, then what floatField, intField and uintField give
  ['4831', '4831', '4831i', '4831u'],
  ['four', 'error', 'error', 'error'],
  ['', 'error', 'error', 'u'],
  ['4?31', '4', '4i', 'error'],
  ['12,5', '12', '12i', 'error'],
  ['4 831', '4', '4i', 'error'],
  ['12.7', '12.7', '12i', 'error'],
  ['1e5', '100000', '1i', 'error'],
  ['-12.5', '-12.5', '-12i', 'error'],
  [-12.5, '-12.5', '-13i', 'error'],
];
let same = true;
for (const [value, ...fields] of wanted) {
  const found = ['floatField', 'intField', 'uintField'].map((kind) => line(kind, value));
  console.log(`${JSON.stringify(value)}: ${found.join(', ')}`);
  same &&= found.every((text, place) => text === (fields[place] === 'error' ? 'error' : `m value=${fields[place]}`));
}
same &&= line('booleanField', 'false') === 'm value=T';
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
