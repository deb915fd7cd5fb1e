#!/usr/bin/env bash
# yup 1.7.1: number() takes the text "1785 3940" for the number 17853940, though its README says parseFloat.
#
# Input: texts as they are read from a picture or typed into a form, given to number().cast and to
# number().required().integer().min(0).validateSync. Guess: what the README says: "The default cast logic of number
# is: parseFloat", so 1785 for "1785 3940" and 12 for "12 5"; or an error.
# Seen: "1785 3940" is 17853940, "12 5" is 125 and "21\n5" is 215: all spaces and line ends are taken out, also
# between digits, and then the whole text has to be a number. So "4?31", "12,5" and "4831 m" are errors, where
# parseFloat has 4, 12 and 4831, and "0x1F" is 31, where it has 0. integer() and min(0) let the joined number through.
# No issue was found.
# Why it matters: a display and its neighbour on one line, or on two, pass as one large reading, and 4831 with a digit
# that was not read and left a space passes as 431. Check the text before, with string().matches(/^\S+$/).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts yup@1.7.1 > /dev/null
cat > show.mjs << 'SCRIPT'
import { readFileSync } from 'node:fs';
import * as yup from 'yup';

const attempt = (work) => {
  try {
    return work();
  } catch (error) {
    return 'error';
  }
};
const schema = yup.number().required().integer().min(0);
const wanted = [ // text, what number().cast gives, what parseFloat gives
  ['1785 3940', 17853940, 1785],
  ['12 5', 125, 12],
  ['4 31', 431, 4],
  ['21\n5', 215, 21],
  ['21.5 0', 21.5, 21.5],
  ['- 5', -5, NaN],
  ['4?31', 'error', 4],
  ['12,5', 'error', 12],
  ['4831 m', 'error', 4831],
  ['0x1F', 31, 0],
];
let same = true;
for (const [text, number, parsed] of wanted) {
  const found = attempt(() => yup.number().cast(text));
  console.log(`${JSON.stringify(text)}: ${found}, parseFloat ${parseFloat(text)}`);
  same &&= Object.is(found, number) && Object.is(parseFloat(text), parsed);
}
const checked = attempt(() => schema.validateSync('1785 3940'));
const refused = attempt(() => yup.string().matches(/^\S+$/).validateSync('1785 3940'));
const readme = readFileSync('node_modules/yup/README.md', 'utf8');
const promised = /default `cast` logic of `number` is: \[`parseFloat`\]/.test(readme);
console.log(`integer and min(0): ${checked}; matches: ${refused}; README with parseFloat: ${promised}`);
same &&= checked === 17853940 && refused === 'error' && promised;
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
