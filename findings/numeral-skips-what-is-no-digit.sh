#!/usr/bin/env bash
# numeral 2.0.6 gives a number for almost every reading: signs that it does not know are dropped and the digits joined.
#
# Input: readings as text, some with a unit, some with a digit that could not be read. Guess: a number where the text
# is one, and else null or NaN, as Number() gives; its documentation shows NaN for a string that is no number.
# Seen: "4?31" is 431 and "?831" 831: an unreadable digit is no digit, so that the value is a tenth. The exponent of a
# unit becomes a digit: "4831 m3" is 48313. The unit's letter becomes a factor, as its formats have it: "12.5 m" is
# 12500000, "12.5 t" is 12500000000000, and "12.5 mm" is 12.5. "12-5" is -125, "1/2" is 12, "12,5" is 125, and "1e3",
# which JavaScript itself writes, is 13. numeral.validate(text, "en") is no help: it refuses "-12.5" and takes "12,5".
# Issues 449 and 581 of adamwdraper/Numeral-js have such strings; no unit is among them.
# Why it matters: a reader of meters marks what it cannot tell just so that no wrong value is stored. Here the mark is
# swallowed, and a plausible number goes on. Check the whole text by a pattern first, then use Number().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund numeral@2.0.6 > /dev/null
cat > show.mjs << 'SCRIPT'
import numeral from 'numeral';

const wanted = {
  '4831': 4831, '-12.5': -12.5, '1,785.40': 1785.4, '---': null,
  '4?31': 431, '?831': 831, '4831 m3': 48313, '12.5 m': 12500000, '12.5 t': 12500000000000, '12.5 mm': 12.5,
  '12-5': -125, '1/2': 12, '12,5': 125, '1e3': 13,
};
let same = true;
for (const [text, value] of Object.entries(wanted)) {
  const found = numeral(text).value();
  const valid = numeral.validate(text, 'en');
  console.log(`${JSON.stringify(text)}: ${found}, Number() ${Number(text)}, validate() ${valid}`);
  same &&= found === value;
}
console.log('numeral', numeral.version);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
