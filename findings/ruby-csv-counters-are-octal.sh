#!/usr/bin/env bash
# csv 3.3.2, of Ruby 3.4.1, reads the counter 0042 as 34 and 0089 as 89.0 with converters: :numeric.
#
# Input: a CSV file of readings as meters and displays show them, some with zeros before them. Guess: 42 and 89, or the
# texts; a converter that is called numeric or integer is for decimal numbers, as those of other CSV readers are.
# Seen: 0042 is 34, 0017 is 15, 04831 is the Float 4831.0, and 0089 is 89.0: a text of digits from 0 to 7 with a zero
# before it is octal, and one with an 8 or 9 is no integer and becomes a Float. So a counter that runs on from 0077 goes
# from 63 to 78.0, then to 79.0, 80.0 and, for 0100, to 64. 0017.5 is 17.5. :all and :integer do the same, as does
# CSV.table, which sets :numeric itself; :integer leaves 0089 a text. With :float all are right. No error or warning.
# The converter calls Integer(), which takes a text as Ruby takes a number in a program, also 1_000. Issue 589 of
# everypolitician/everypolitician-data has an id of 040 that became 32. Csv 3.2.2 of Debian 12 is the same.
# Why it matters: four wheels of a counter show 0042. The differences of two readings are wrong wherever no digit is
# above 7. Nothing stands out, since 34 is as good a reading as 42. Use converters: :float, or
# ->(text) { Integer(text, 10, exception: false) || text }.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @ruby/wasm-wasi@2.10.1 @ruby/3.4-wasm-wasi@2.10.1 > /dev/null
cat > show.rb << 'RUBY'
require "csv"
require "json"

texts = %w[4831 -7 12.5 0042 0017 -0042 04831 0077 0078 0079 0080 0089 0100 0017.5 1_000]
lines = (["reading"] + texts).join("\n") + "\n"
decimal = ->(text) { Integer(text, 10, exception: false) || text }
JSON.generate({
  versions: [RUBY_VERSION, CSV::VERSION],
  texts: texts,
  ":numeric": CSV.parse(lines, headers: true, converters: :numeric)["reading"],
  ":all": CSV.parse(lines, headers: true, converters: :all)["reading"],
  ":integer": CSV.parse(lines, headers: true, converters: :integer)["reading"],
  ":float": CSV.parse(lines, headers: true, converters: :float)["reading"],
  "Integer(text, 10)": CSV.parse(lines, headers: true, converters: decimal)["reading"],
})
RUBY
cat > show.mjs << 'SCRIPT'
import { readFileSync } from 'node:fs';
import { DefaultRubyVM } from '@ruby/wasm-wasi/dist/node';

const wasm = readFileSync('node_modules/@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm');
const { vm } = await DefaultRubyVM(await WebAssembly.compile(wasm));
const text = vm.eval(readFileSync('show.rb', 'utf8')).toString();
const { versions, texts, ...ways } = JSON.parse(text);
console.log('texts:', texts.join(' '));
// JSON.parse has no Float of Ruby's, so that lists are shown as Ruby wrote them
for (const way of Object.keys(ways)) {
  console.log(`${way}:`, text.slice(text.indexOf(`"${way}":`) + way.length + 3).match(/\[.*?\]/)[0]);
}
const octal = [4831, -7, 12.5, 34, 15, -34, 4831, 63, 78, 79, 80, 89, 64, 17.5, 1000];
const right = [4831, -7, 12.5, 42, 17, -42, 4831, 77, 78, 79, 80, 89, 100, 17.5, 1000];
const wanted = {
  ':numeric': octal, ':all': octal, ':float': right,
  ':integer': octal.map((value, n) => ([2, 6, 8, 9, 10, 11, 13].includes(n) ? texts[n] : value)),
  'Integer(text, 10)': right.map((value, n) => ([2, 13].includes(n) ? texts[n] : value)),
};
console.log('Ruby and csv:', versions.join(', '));
const same = Object.entries(wanted).every(([way, values]) => JSON.stringify(values) === JSON.stringify(ways[way]));
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node --no-warnings show.mjs
