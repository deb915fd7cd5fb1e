#!/usr/bin/env bash
# alasql 4.19.1: the average of the texts 9, 10 and 8.5 is 3036.17, and the smallest of null, 0 and 5 is 5.
#
# Input: rows with a column of readings, as numbers, as texts, as both, and with null where a display could not be
# read, in SELECT COUNT(v), SUM(v), AVG(v), MIN(v), MAX(v) FROM ?. Guess: for texts the figures of the numbers in
# them, or an error; null is left out, as in SQL.
# Seen: AVG joins the texts and divides the number that they spell by their count: 9108.5 / 3. Their SUM, MIN and MAX
# are undefined. With numbers and one text, the figures depend on its place: of 12.5, "13" and 12 the sum is 12 and
# the average 4.17, with the text first 24.5 and 437.5, and with the text last the sum is the text 24.513. Of null, 0
# and 5 MIN is 5, and of null, 0 and -5 MAX is -5: right after a null a 0 is not seen. With the 0 in front both are
# right. With CAST(v AS FLOAT) inside, texts are right. Issue 674 of AlaSQL/alasql, open since 2016, has a sum with
# one text; issue 2481 lists other functions that are wrong with null. None that has the 0 was found.
# Why it matters: what is read from a picture is a text, and one such row, or one display that could not be read
# before a 0, changes the figures of a report, often to plausible ones. Convert before, and leave null out with WHERE.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts alasql@4.19.1 > /dev/null
cat > show.mjs << 'SCRIPT'
import alasql from 'alasql';

const rows = (values) => values.map((v) => ({ v }));
const figures = (values, column = 'v') => {
  const columns = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'].map((name) => `${name}(${column}) AS ${name.toLowerCase()}_v`);
  return alasql(`SELECT ${columns} FROM ?`, [rows(values)])[0];
};
const wanted = [ // values, and what count, sum, avg, min and max are
  [[9, 10, 8.5], 3, 27.5, 9.17, 8.5, 10],
  [['9', '10', '8.5'], 3, undefined, 3036.17, undefined, undefined],
  [[12.5, '13', 12], 3, 12, 4.17, 12, 12.5],
  [['13', 12.5, 12], 3, 24.5, 437.5, 12, 12.5],
  [[12.5, 12, '13'], 3, '24.513', 8.17, 12, 12.5],
  [[0, null, 5], 2, 5, 2.5, 0, 5],
  [[null, 0, 5], 2, 5, 2.5, 5, 5],
  [[null, 0, -5], 2, -5, -2.5, -5, -5],
];
let same = true;
for (const [values, ...numbers] of wanted) {
  const { count_v: count, sum_v: sum, avg_v: avg, min_v: min, max_v: max } = figures(values);
  const found = [count, sum, Math.round(100 * avg) / 100, min, max];
  console.log(`${JSON.stringify(values)}: count ${found[0]}, sum ${sum}, avg ${found[2]}, min ${min}, max ${max}`);
  same &&= found.every((value, place) => value === numbers[place]);
}
const texts = ['9', '10', '8.5'];
const above = alasql('SELECT v FROM ? WHERE v > "8.7"', [rows(texts)]).map(({ v }) => v);
const ordered = alasql('SELECT v FROM ? ORDER BY v', [rows(texts)]).map(({ v }) => v);
console.log(`texts above 8.7: ${above}; ordered: ${ordered}`);
const cast = figures(texts, 'CAST(v AS FLOAT)');
console.log('with CAST:', JSON.stringify(cast));
same &&= `${above}` === '9' && `${ordered}` === '10,8.5,9';
same &&= cast.sum_v === 27.5 && cast.min_v === 8.5 && cast.max_v === 10 && Math.abs(cast.avg_v - 27.5 / 3) < 1e-9;
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node show.mjs
