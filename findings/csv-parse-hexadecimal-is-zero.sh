#!/usr/bin/env bash
# csv-parse 7.0.3 with cast: true reads 0x1F, 0b11 and 0o17 as the number 0, and so every register in hexadecimal.
#
# Input: a CSV file as programs that ask meters by Modbus or M-Bus write it, with registers and values in hexadecimal,
# and fields of decimal numbers. Guess: 31, as Number() and d3-dsv give, or the text, as Papa Parse and csvtojson give.
# Seen: 0x1F, 0x12C, 0XFF, 0b11 and 0o17 are all the number 0, and -0x1F is a text. Decimal numbers are right, and texts
# with other signs are texts. No error or warning. cast: true is documented to convert texts to native types. A field
# counts as a number if text - parseFloat(text) + 1 is not negative, where the first text is converted by JavaScript,
# which knows hexadecimal; then the value of parseFloat is taken, which reads up to the x. Issue 148 of
# adaltas/node-csv-parse, opened in 2017 and closed, has it for the option's older name.
# Why it matters: a column of registers or addresses is zeros, which is a plausible reading, and their sum is 0. Give a
# function as cast, or call Number() on fields that match a pattern.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund csv-parse@7.0.3 papaparse@5.7.1 csvtojson@2.0.14 d3-dsv@3.0.2 > /dev/null
cat > show.mjs << 'SCRIPT'
import { parse } from 'csv-parse/sync';
import csvtojson from 'csvtojson';
import { autoType, csvParse } from 'd3-dsv';
import Papa from 'papaparse';

const wanted = {
  '4831': 4831, '-12.5': -12.5, '1e3': 1000, '4831 m3': '4831 m3', '12-5': '12-5',
  '0x1F': 0, '0x12C': 0, '0XFF': 0, '0b11': 0, '0o17': 0, '-0x1F': '-0x1F',
};
const texts = Object.keys(wanted), file = `reading\n${texts.join('\n')}\n`;
const ways = {
  'csv-parse': parse(file, { columns: true, cast: true }),
  'Papa Parse': Papa.parse(file, { header: true, dynamicTyping: true, skipEmptyLines: true }).data,
  csvtojson: await csvtojson({ checkType: true }).fromString(file),
  'd3-dsv': csvParse(file, autoType),
};
const found = Object.fromEntries(Object.entries(ways).map(([way, rows]) => [way, rows.map((row) => row.reading)]));
texts.forEach((text, n) => {
  const shown = Object.entries(found).map(([way, values]) => `${way} ${JSON.stringify(values[n])}`);
  console.log(`${text}: ${shown.join(', ')}`);
});
const others = (n) => ['Papa Parse', 'csvtojson', 'd3-dsv'].map((way) => found[way][n]);
const same = texts.every((text, n) => found['csv-parse'][n] === wanted[text]
  && others(n).every((value) => value === text || value === Number(text)));
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
