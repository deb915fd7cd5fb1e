#!/usr/bin/env bash
# plotly.js 4.1.2: "12,5" is drawn at 125 and "1785 3940" at 17853940, and "12-5" is the first of May 2012.
#
# Input: a line through readings that are texts, as they come from a CSV or a reader: Plotly.newPlot with y and
# nothing else. Guess: numbers where the texts are numbers, and else a gap, or a category for each text, as for
# "4831 m" and "20:16".
# Seen: "12,5" is at 125, "1 786" at 1786 and "1785 3940" at 17853940: commas and spaces are taken out. "50%" is at
# 50, and "0x10" at 16. "12-5" and "13-5" make an axis of dates, and "4831-1" is a day of the year 4831. "4?31" and
# "−5", with a typographic minus, are gaps. layout.separators of ",." changes the labels of the axis only. Pull
# request 1185 of plotly/plotly.js, of 2016, has "2 2" as 22 among its tests; no issue about decimal commas was found.
# Why it matters: where the decimal sign is a comma, readings are drawn ten times too high, and 12,5 and 12,50 at
# different heights, without a word. Convert before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts plotly.js-dist-min@4.1.2 jsdom@29.1.1 > /dev/null
cat > show.cjs << 'SCRIPT'
const { JSDOM } = require('jsdom');

// A page without a screen: what is drawn has no size, but each point has its value.
const { window } = new JSDOM('<div id="chart"></div>', { pretendToBeVisual: true });
for (const name of ['document', 'DOMParser', 'XMLSerializer', 'Element', 'HTMLElement', 'SVGElement', 'Node', 'Blob',
  'getComputedStyle']) globalThis[name] = window[name];
globalThis.window = globalThis.self = window;
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true });
window.URL.createObjectURL = () => '';
window.HTMLCanvasElement.prototype.getContext = () => null;
window.SVGElement.prototype.getBBox = () => ({ x: 0, y: 0, width: 10, height: 10 });
window.SVGElement.prototype.getComputedTextLength = () => 10;
const Plotly = require('plotly.js-dist-min');

const drawn = async (y, layout = {}) => {
  const chart = document.getElementById('chart');
  await Plotly.newPlot(chart, [{ y }], { width: 400, height: 300, ...layout });
  const { type } = chart._fullLayout.yaxis;
  const values = chart.calcdata[0].map((point) => point.y ?? 'gap');
  Plotly.purge(chart);
  return `${type} ${values.map((value) => (type === 'date' ? new Date(value).toISOString().slice(0, 10) : value))}`;
};

(async () => {
  console.log(`plotly.js ${Plotly.version}`);
  let same = true;
  for (const [y, wanted, layout] of [
    [['12.5', '13.0'], 'linear 12.5,13'],
    [['12,5', '13,0'], 'linear 125,130'],
    [['12,5', '12,50'], 'linear 125,1250'],
    [['12,5', '13,0'], 'linear 125,130', { separators: ',.' }],
    [['1785 3940', '1 786'], 'linear 17853940,1786'],
    [['50%', '0x10'], 'linear 50,16'],
    [['12-5', '13-5'], 'date 2012-05-01,2013-05-01'],
    [['4831-1', '4832-1'], 'date 4831-01-01,4832-01-01'],
    [['4?31', '−5', '4832', '4833', '4834'], 'linear gap,gap,4832,4833,4834'],
    [['4831 m', '4832 m'], 'category 0,1'],
    [['20:16', '20:17'], 'category 0,1'],
  ]) {
    const found = await drawn(y, layout);
    console.log(`${JSON.stringify(y)}${layout ? ` with ${JSON.stringify(layout)}` : ''}: ${found}`);
    same &&= found === wanted;
  }
  if (!same) console.log('the behaviour has changed');
  process.exit(same ? 0 : 1);
})();
SCRIPT
node show.cjs
