/* The worker of the page: decodes pictures and reads them, so that the page never stalls.
 *
 * The first message is digitocr.wasm, {wasm}. Each later one asks for a reading, {turn,
 * name, options} and one of {file}, {bitmap} and {image}; the answer is {turn, reading, crops, width, height, note, shown}
 * or {turn, error}. */

import { load } from "./digitocr.js"

const MAX_PIXELS = 52_000_000 // of a picture: a phone's largest photo
const MIN_SIDE = 5 // pixels; nothing narrower can show a digit
const READER_SIDE = 1536 // pixels of the longer side; a JPEG with twice this side is read at half its size, and so on
const NORMAL_ASPECT = 2.5 // a longer picture keeps as many pixels as its part of that aspect would
const HEAD_BYTES = 4_000_000 // of a file that are looked through for its size
const STRIP_PIXELS = 4_000_000 // that are reduced at once
const SHOWN_SIDE = 1600 // pixels of the longer side of the picture as it is shown
const MAX_CROPS = 100 // digits of which the page shows what the network saw

/** What went wrong, in a sentence for people. */
class Refusal extends Error {}

let reader

self.onmessage = async ({ data }) => {
  if (data.wasm) {
    try {
      reader = await load(data.wasm)
      self.postMessage({ loaded: true })
    } catch {
      self.postMessage({ error: "This browser is too old for this page: it needs WebAssembly with SIMD." })
    }
    return
  }
  try {
    const answer = await read(data)
    self.postMessage({ turn: data.turn, ...answer }, answer.shown ? [answer.shown] : [])
  } catch (error) {
    const isMemory = error instanceof RangeError || error.code === 3
    const why = isMemory ? "needs more memory than the browser gives. Make it smaller first." : `cannot be read: ${error.message}.`
    self.postMessage({ turn: data.turn, error: error instanceof Refusal ? error.message : `${data.name} ${why}` })
  }
}

async function read({ file, bitmap, image, name, options }) {
  const started = performance.now()
  let note = "", shown, scale = 1
  if (file) {
    const decoded = await opened(file, name)
    note = decoded.note
    scale = decoded.factor
    image = decoded.image
    shown = decoded.shown
  } else if (bitmap) {
    image = pixels(bitmap, 1)
    bitmap.close()
  }
  const decode = performance.now() - started
  const reading = reader.read(image, options)
  reading.ms = { decode, ...reading.ms }
  const crops = reader.crops(image, reading, MAX_CROPS)
  const width = Math.round(image.width * scale), height = Math.round(image.height * scale)
  return { reading: enlarged(reading, scale), crops, width, height, note, shown }
}

/** The picture of a file: its pixels, how many times larger it is, and itself to be shown. */
async function opened(file, name) {
  const head = looked(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()))
  refuseLarge(head.width * head.height, name)
  let bitmap
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }) // as the runtime, which knows no profiles
  } catch {
    throw new Refusal(`${name} is not a picture, is damaged, or is of a kind that this browser cannot show.`)
  }
  const { width, height } = bitmap
  refuseLarge(width * height, name)
  if (Math.min(width, height) < MIN_SIDE) throw new Refusal(`${name} has ${width} × ${height} pixels, too few to show a digit.`)
  const image = pixels(bitmap, head.kind === "JPEG" ? reduction(width, height) : 1)
  const small = Math.min(1, SHOWN_SIDE / Math.max(width, height))
  const size = { resizeWidth: Math.max(1, Math.round(width * small)), resizeHeight: Math.max(1, Math.round(height * small)) }
  const shown = small < 1 ? await createImageBitmap(bitmap, { ...size, resizeQuality: "medium" }) : bitmap
  if (shown !== bitmap) bitmap.close()
  const note = head.isAnimated ? `${name} is animated; its first picture is read.` : ""
  return { image, factor: Math.max(width, height) / Math.max(image.width, image.height), shown, note }
}

function refuseLarge(count, name) {
  if (!(count > MAX_PIXELS)) return
  throw new Refusal(`${name} has ${Math.round(count / 1e6)} megapixels; up to ${MAX_PIXELS / 1e6} can be read. Make it smaller first.`)
}

/** By how much a JPEG of that size is reduced before it is read: 1, 2, 4 or 8, as `digitocr predict` does it. */
function reduction(width, height) {
  const whole = Math.max(width, height)
  const share = Math.min(1, (READER_SIDE * Math.max(1, whole / Math.min(width, height) / NORMAL_ASPECT)) / whole)
  const side = length => Math.floor(length / Math.max(1, Math.floor(length * share)))
  const most = Math.min(side(width), side(height))
  return [8, 4, 2, 1].find(factor => most >= factor)
}

/** The pixels of a bitmap; each is the mean of factor x factor of it. */
function pixels(bitmap, factor) {
  const { width, height } = bitmap
  const rows = factor === 1 ? height : factor * Math.max(1, Math.floor(STRIP_PIXELS / width / factor))
  const context = new OffscreenCanvas(width, Math.min(rows, height)).getContext("2d", { willReadFrequently: true })
  if (!context) throw new RangeError("no canvas of that size")
  if (factor === 1) {
    context.drawImage(bitmap, 0, 0)
    return context.getImageData(0, 0, width, height)
  }
  const reduced = new ImageData(Math.ceil(width / factor), Math.ceil(height / factor))
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top)
    context.drawImage(bitmap, 0, top, width, count, 0, 0, width, count)
    reduce(context.getImageData(0, 0, width, count), factor, reduced, top / factor)
  }
  return reduced
}

/** Writes the means of a strip of opaque pixels to a picture, from a row on. */
function reduce({ data, width, height }, factor, reduced, row) {
  const sums = new Uint32Array(3 * reduced.width)
  for (let y = 0; y * factor < height; y++) {
    const top = y * factor, bottom = Math.min(height, top + factor)
    sums.fill(0)
    for (let v = top, at = 4 * top * width; v < bottom; v++) {
      for (let x = 0, to = 0; x < width; x += factor, to += 3) {
        for (let right = 4 * (v * width + Math.min(width, x + factor)); at < right; at += 4) {
          sums[to] += data[at]
          sums[to + 1] += data[at + 1]
          sums[to + 2] += data[at + 2]
        }
      }
    }
    for (let x = 0, to = 4 * (row + y) * reduced.width; x < reduced.width; x++, to += 4) {
      const count = (bottom - top) * Math.min(factor, width - x * factor)
      for (let channel = 0; channel < 3; channel++) reduced.data[to + channel] = sums[3 * x + channel] / count
      reduced.data[to + 3] = 255
    }
  }
}

/** A reading with its boxes in a picture that is so many times larger. */
function enlarged(reading, scale) {
  const box = ([x, y, width, height]) => [x, y, width, height].map(value => Math.round(value * scale))
  for (const line of reading.lines) {
    for (const number of line.numbers) {
      number.box = box(number.box)
      for (const digit of number.digits) digit.box = box(digit.box)
    }
  }
  return reading
}

/* --- The head of a file: its size, before it is decoded --------------------------------------------------------- */

/** What the first bytes of a file say: {kind, width, height, isAnimated}; nothing of a format that is not known here. */
function looked(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word = (from, count) => String.fromCharCode(...bytes.subarray(from, from + count))
  try {
    if (word(0, 8) === "\x89PNG\r\n\x1a\n") return lookedPng(view, word)
    if (word(0, 4) === "GIF8") return lookedGif(view)
    if (word(0, 2) === "\xff\xd8") return lookedJpeg(view)
    if (word(0, 4) === "RIFF" && word(8, 4) === "WEBP") return lookedWebp(view, word)
    if (word(0, 2) === "BM") return { kind: "BMP", width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) }
  } catch {
    // it ends too early; the browser's decoder says what it makes of it
  }
  return {}
}

function lookedPng(view, word) {
  const head = { kind: "PNG", width: view.getUint32(16), height: view.getUint32(20), isAnimated: false }
  for (let at = 8; at + 8 < view.byteLength && word(at + 4, 4) !== "IDAT"; at += 12 + view.getUint32(at)) {
    if (word(at + 4, 4) === "acTL") head.isAnimated = true
  }
  return head
}

function lookedGif(view) {
  const head = { kind: "GIF", width: view.getUint16(6, true), height: view.getUint16(8, true), isAnimated: false }
  const table = flags => (flags & 128 ? 3 << ((flags & 7) + 1) : 0) // bytes of a table of colours
  const behindBlocks = at => {
    while (at < view.byteLength && view.getUint8(at)) at += 1 + view.getUint8(at)
    return at + 1
  }
  let pictures = 0
  for (let at = 13 + table(view.getUint8(10)); at < view.byteLength; ) {
    const kind = view.getUint8(at)
    if (kind === 0x21) at = behindBlocks(at + 2)
    else if (kind === 0x2c) {
      head.isAnimated = ++pictures > 1
      if (head.isAnimated || at + 9 >= view.byteLength) break
      at = behindBlocks(at + 11 + table(view.getUint8(at + 9)))
    } else break
  }
  return head
}

function lookedJpeg(view) {
  for (let at = 2; at + 9 < view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { kind: "JPEG", width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
  }
  return { kind: "JPEG" }
}

function lookedWebp(view, word) {
  const kind = "WebP"
  if (word(12, 4) === "VP8X") {
    const side = at => (view.getUint32(at, true) & 0xffffff) + 1
    return { kind, width: side(24), height: side(27), isAnimated: Boolean(view.getUint8(20) & 2) }
  }
  if (word(12, 4) === "VP8L") {
    const bits = view.getUint32(21, true)
    return { kind, width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
  }
  return { kind, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
}
