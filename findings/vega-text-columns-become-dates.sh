#!/usr/bin/env bash
# vega-loader 5.1.3 reads columns of text with a number in it as dates: "digit 7" is the first of July 2001.
#
# Input: CSV columns with the names of classes, readings with a digit that could not be read, and readings with the sign
# apart, by read() with parse "auto", which Vega's CSV data take as well. Guess: text stays text; numbers are numbers; a
# date is what looks like one, such as 2024-11-28.
# Seen: "digit 0" to "digit 9" are the milliseconds of ten days: the first of January 2000, then a month of 2001 for
# each. "4?31" is the first of May 2001, and makes 4831 beside it the year 4831, so that all good readings of a column
# are lost by one bad. "- 5", "12-5" and "1/2" are dates as well; "4831 m", "4_31" and "A12" are text. A column is dates
# if Date.parse takes each value, and that of V8 skips any word before a number: other browsers differ. Issue 95 of
# vega/datalib, its predecessor, has it, open since 2018; the README says nothing of how a date is told.
# Why it matters: a chart of the errors of each digit has ten dates on its axis, and a column of readings jumps to
# 10^12. Give the types: parse {"digit": "string", "reading": "number"}.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund vega-loader@5.1.3 > /dev/null
cat > show.mjs << 'SCRIPT'
import { read } from 'vega-loader';

const digits = Array.from({ length: 10 }, (_, digit) => `digit ${digit}`);
const wanted = [
  [['4831', '4830'], [4831, 4830]],
  [['4831 m', '4830 m'], ['4831 m', '4830 m']],
  [['4_31', '4831'], ['4_31', '4831']],
  [digits, digits.map((_, digit) => Date.UTC(digit === 0 ? 2000 : 2001, Math.max(digit - 1, 0)))],
  [['4?31', '4831'], [Date.UTC(2001, 4), Date.UTC(4831, 0)]],
  [['- 5', '-3'], [Date.UTC(2001, 4), Date.UTC(2001, 2)]],
  [['12-5', '3-4'], [Date.UTC(2001, 11, 5), Date.UTC(2001, 2, 4)]],
  [['1/2', '3/4'], [Date.UTC(2001, 0, 2), Date.UTC(2001, 2, 4)]],
];
let same = true;
for (const [column, values] of wanted) {
  const found = read(`value\n${column.join('\n')}\n`, { type: 'csv', parse: 'auto' }).map((row) => row.value);
  console.log(`${JSON.stringify(column)}: ${JSON.stringify(found)}`);
  same &&= JSON.stringify(found) === JSON.stringify(values);
}
const named = read(`value\n${digits.join('\n')}\n`, { type: 'csv', parse: { value: 'string' } });
same &&= named.every((row, digit) => row.value === digits[digit]);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
TZ=UTC node show.mjs
