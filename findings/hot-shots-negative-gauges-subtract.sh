#!/usr/bin/env bash
# hot-shots 17.1.1 and node-statsd 0.1.1: a gauge of -12.5 lowers the one before by 12.5.
#
# Input: the readings of a thermometer, 21.5, -12.5, -12.5, -11 and 3, sent by gauge(name, value) to statsd 0.9.0, which
# tells its gauges on its port for administration. Guess: these values; the README of hot-shots shows gauge for setting
# a value, and gaugeDelta for "change it rather than setting it".
# Seen: 21.5, 9, -3.5, -14.5 and 3, with both clients: they send `t:-12.5|g`, and in this protocol a number with a sign
# is a change. Neither warns. The documentation of statsd says that a gauge cannot be set to a negative number without
# setting it to 0 first; the client for Python, jsocol/pystatsd, sends that 0 by itself since its issue 40. For
# hot-shots none was found; its issue 248 asks for changes by sign.
# Why it matters: a display below zero is read right and its curve falls for as long as the frost lasts, and the alarm
# of a cold store goes off. Send gauge(name, 0) before each negative value, in this order, or use another server.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts hot-shots@17.1.1 node-statsd@0.1.1 statsd@0.9.0 > /dev/null
cat > config.js << 'CONFIG'
{ address: '127.0.0.1', port: 18125, mgmt_address: '127.0.0.1', mgmt_port: 18126, backends: [], deleteIdleStats: false }
CONFIG
node node_modules/statsd/stats.js config.js > statsd.log 2>&1 &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
cat > show.cjs << 'SCRIPT'
const net = require('net');
const { StatsD } = require('hot-shots');
const NodeStatsd = require('node-statsd');

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
const gauges = () => new Promise((resolve, reject) => {
  const socket = net.connect(18126, '127.0.0.1', () => socket.write('gauges\n'));
  let text = '';
  socket.on('error', reject);
  socket.on('data', (data) => {
    text += data;
    if (!text.includes('END')) return;
    socket.end();
    const pairs = [...text.matchAll(/'?([\w-]+)'?: (-?[\d.]+)/g)];
    resolve(Object.fromEntries(pairs.map(([, name, value]) => [name, Number(value)])));
  });
});

(async () => {
  for (let tries = 0; tries < 50; tries++) {
    if (await gauges().catch(() => null)) break;
    await pause(100);
  }
  const host = '127.0.0.1';
  const port = 18125;
  const clients = {
    'hot-shots': new StatsD({ host, port }),
    'node-statsd': new NodeStatsd(host, port),
  };
  const names = Object.keys(clients);
  const found = Object.fromEntries([...names, 'zero-before'].map((name) => [name, []]));
  for (const value of [21.5, -12.5, -12.5, -11, 3]) {
    for (const name of names) clients[name].gauge(name, value);
    if (value < 0) clients['hot-shots'].gauge('zero-before', 0);
    await pause(200);
    clients['hot-shots'].gauge('zero-before', value);
    await pause(200);
    const now = await gauges();
    for (const name of Object.keys(found)) found[name].push(now[name]);
  }
  for (const [name, values] of Object.entries(found)) console.log(`${name}: ${values.join(', ')}`);
  const same = names.every((name) => found[name].join() === '21.5,9,-3.5,-14.5,3');
  const right = found['zero-before'].join() === '21.5,-12.5,-12.5,-11,3';
  if (!same || !right) console.log('the behaviour has changed');
  process.exit(same && right ? 0 : 1);
})();
SCRIPT
node show.cjs
