/* digitocr: reads numbers in pictures, in a browser, a worker, Node or a bundle. digitocr.d.ts has the types.
 *
 *     import { load } from "./digitocr.js"
 *     const reader = await load()
 *     const reading = reader.read(context.getImageData(0, 0, width, height))
 *     console.log(reading.text)
 *
 * digitocr.wasm does the work: the C library, whose answers are those of `digitocr predict`. A picture is grey levels
 * or RGBA, as ImageData has it; grey levels of colours are made here. Reading takes time: in a page, call it in a worker.
 */

const ERRORS = {
  1: "a box has no area, or a number is not finite",
  2: "a picture has 1 to 65535 pixels a side",
  3: "the picture needs more memory than WebAssembly gives; make it smaller",
  4: "an option is out of range: conf is 0 to 1, rotate 0, 90, 180, 270 or \"auto\", mode \"auto\", \"line\" or \"single\"",
  5: "digitocr.wasm was made of files of two exports; export it again",
}
const ARGUMENT = 1, SIZE = 2, MEMORY = 3, OPTIONS = 4 // of enum digitocr_error in digitocr.h
const MODES = ["auto", "line", "single"] // in the order of enum digitocr_mode
const ROTATIONS = ["auto", 0, 90, 180, 270] // degrees clockwise
const AUTO = -1 // DIGITOCR_ROTATE_AUTO
const MAX_SIDE = 65535 // pixels
const SIDE = 28 // pixels; of a digit that the network reads
const TOPK = 3 // likeliest digits of each place
const PAGE = 65536 // bytes by which memory grows
const ALIGN = 16 // bytes; of each piece of memory
const BOX_BYTES = 16, OPTIONS_BYTES = 12, READING_BYTES = 24, PICTURE_BYTES = 16 // of the structures of digitocr.h
const NUMBER_BYTES = 20, DIGIT_BYTES = 48

/** An error of the library. `code` is that of enum digitocr_error. */
export class DigitocrError extends Error {
  constructor(code) {
    super(ERRORS[code] ?? `error ${code}`)
    this.name = "DigitocrError"
    this.code = code
  }
}

/** Loads the reader: digitocr.wasm beside this file, or what is given: bytes, a module, a response, an address. */
export async function load(source = new URL("digitocr.wasm", import.meta.url)) { // in the form that bundlers look for
  source = await source
  const node = globalThis.process?.getBuiltinModule // an import would stop bundlers that bundle for browsers
  if (node && source instanceof URL && source.protocol === "file:") {
    source = await node("node:fs").promises.readFile(source) // Node's fetch reads no files
  } else if (source instanceof URL || typeof source === "string") {
    source = await fetch(source)
  }
  if (typeof Response !== "undefined" && source instanceof Response) {
    if (!source.ok) throw new Error(`${source.url} cannot be loaded: HTTP status ${source.status}`)
    source = await source.arrayBuffer()
  }
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source)
  return new Reader(await WebAssembly.instantiate(module, {}))
}

/** Reads pictures, one at a time. Made by `load`. */
export class Reader {
  #c // what digitocr.wasm exports
  #start // the first byte of memory that is free

  constructor(instance) {
    this.#c = instance.exports
    this.#start = aligned(this.#c.__heap_base.value >>> 0)
    /** The number of classes of the network: 10, or 11 with "no digit". */
    this.classes = this.#c.digitocr_classes()
  }

  /** The numbers in a picture. */
  read(picture, given = {}) {
    const started = performance.now()
    if (typeof given !== "object" || given === null) throw new TypeError(`options are an object, as { conf: 0.5 }, not ${given}`)
    const { conf = 0.5, rotate = "auto", mode = "auto" } = given
    if (!(Number.isFinite(conf) && conf >= 0 && conf <= 1) || !ROTATIONS.includes(rotate) || !MODES.includes(mode)) throw new DigitocrError(OPTIONS)
    const { data, width, height } = grey(picture)
    let at = this.#room(OPTIONS_BYTES)
    const options = at
    const view = new DataView(this.#c.memory.buffer)
    view.setFloat32(options, conf, true)
    view.setInt32(options + 4, rotate === "auto" ? AUTO : rotate, true)
    view.setInt32(options + 8, MODES.indexOf(mode), true)
    at = aligned(at + OPTIONS_BYTES)
    const bytes = this.#c.digitocr_read_bytes(width, height, options) >>> 0
    const reading = at
    const [pixels, arena] = this.#put(data, width, height, aligned(at + READING_BYTES), bytes)
    check(this.#c.digitocr_read(pixels, options, arena, bytes, reading))
    return { ...this.#reading(reading), ms: { read: performance.now() - started } }
  }

  /** What the network makes of one digit of 28x28 pixels, bright on dark as MNIST has it. */
  classify(picture) {
    const { data, width, height } = grey(picture)
    if (width !== SIDE || height !== SIDE) throw new DigitocrError(SIZE)
    const pixels = this.#start
    const logits = aligned(pixels + SIDE * SIDE)
    const arena = aligned(logits + 4 * this.classes)
    const bytes = this.#c.digitocr_classify_bytes() >>> 0
    this.#room(arena + bytes - this.#start)
    new Uint8Array(this.#c.memory.buffer, pixels).set(data)
    check(this.#c.digitocr_classify(pixels, logits, arena, bytes))
    const values = [...new Float32Array(this.#c.memory.buffer, logits, this.classes)]
    return { ...likeliest(softmax(values)), logits: values }
  }

  /** What the network makes of the digit in a box [x, y, width, height] of a picture. */
  classifyBox(picture, box) {
    const { data, width, height } = grey(picture)
    if (box?.length !== 4) throw new DigitocrError(ARGUMENT)
    const corners = this.#room(BOX_BYTES + 4 * this.classes + 2 * ALIGN)
    new Float32Array(this.#c.memory.buffer, corners, 4).set(box)
    const probabilities = aligned(corners + BOX_BYTES)
    const bytes = this.#c.digitocr_classify_box_bytes(width, height) >>> 0
    const [given, arena] = this.#put(data, width, height, aligned(probabilities + 4 * this.classes), bytes)
    check(this.#c.digitocr_classify_box(given, corners, probabilities, arena, bytes))
    return likeliest([...new Float32Array(this.#c.memory.buffer, probabilities, this.classes)])
  }

  /** The crops of 28x28 that the network saw of the first digits of a reading, at most `most`. */
  crops(picture, reading, most = Infinity) {
    const { data, width, height } = grey(picture)
    if (!Array.isArray(reading?.lines)) throw new TypeError("a reading is what read() returned")
    const boxes = reading.lines.flatMap(line => line.numbers).flatMap(number => number.digits).map(digit => digit.box)
    if (typeof most !== "number" || !(most >= 0)) throw new TypeError(`most is a number of digits, not ${most}`)
    const count = Math.min(Math.floor(most), boxes.length)
    if (count === 0) return []
    const corners = this.#room(BOX_BYTES * count)
    const crops = aligned(corners + BOX_BYTES * count)
    const bytes = this.#c.digitocr_web_crops_bytes(width, height, reading.turned, count) >>> 0
    const [given, arena] = this.#put(data, width, height, aligned(crops + SIDE * SIDE * count), bytes)
    new Float32Array(this.#c.memory.buffer, corners, 4 * count).set(boxes.slice(0, count).flat())
    check(this.#c.digitocr_web_crops(given, reading.turned, corners, count, crops, arena, bytes))
    return Array.from({ length: count }, (_, index) =>
      new Uint8Array(this.#c.memory.buffer, crops + SIDE * SIDE * index, SIDE * SIDE).slice())
  }

  /** Makes the memory hold so many bytes from the first free one on, which it returns. */
  #room(bytes) {
    const lacking = this.#start + bytes - this.#c.memory.buffer.byteLength
    if (lacking > 0) {
      try {
        this.#c.memory.grow(Math.ceil(lacking / PAGE))
      } catch {
        throw new DigitocrError(MEMORY)
      }
    }
    return this.#start
  }

  /** Puts a picture at a place of the memory: where its structure lies, and the arena of so many bytes behind it. */
  #put(data, width, height, at, bytes) {
    const pixels = aligned(at + PICTURE_BYTES)
    const arena = aligned(pixels + data.length)
    this.#room(arena + bytes - this.#start)
    const view = new DataView(this.#c.memory.buffer)
    ;[pixels, width, height, width].forEach((value, place) => view.setUint32(at + 4 * place, value, true))
    new Uint8Array(this.#c.memory.buffer, pixels).set(data)
    return [at, arena]
  }

  /** A reading as it lies in memory, in the form of `digitocr predict --jsonl`. */
  #reading(at) {
    const view = new DataView(this.#c.memory.buffer)
    const uint = place => view.getUint32(place, true)
    const int = place => view.getInt32(place, true)
    const float = place => view.getFloat32(place, true)
    const digits = Array.from({ length: int(at + 12) }, (_, index) => {
      const from = uint(at + 8) + DIGIT_BYTES * index
      const likely = Array.from({ length: TOPK }, (_, rank) => [int(from + 24 + 4 * rank), float(from + 36 + 4 * rank)])
      return {
        digit: int(from) < 0 ? null : int(from),
        confidence: float(from + 4),
        box: [8, 12, 16, 20].map(offset => int(from + offset)),
        topk: likely.filter(([digit]) => digit >= 0),
      }
    })
    const lines = Array.from({ length: int(at + 16) }, () => ({ text: "", numbers: [] }))
    for (let index = 0; index < int(at + 4); index++) {
      const from = uint(at) + NUMBER_BYTES * index
      const own = digits.slice(int(from + 12), int(from + 12) + int(from + 16))
      const line = lines[int(from + 8)]
      line.numbers.push({
        text: this.#text(uint(from)),
        confidence: float(from + 4),
        box: around(own.map(digit => digit.box)),
        digits: own,
      })
      line.text += (line.text && " ") + own.map(digit => digit.digit ?? "?").join("")
    }
    return {
      text: lines.map(line => line.text).join("\n"),
      confidence: digits.length ? Math.min(...digits.map(digit => digit.confidence)) : 0,
      turned: int(at + 20),
      lines,
    }
  }

  /** The characters from there up to a byte of 0. */
  #text(at) {
    const bytes = new Uint8Array(this.#c.memory.buffer, at)
    let text = ""
    for (let place = 0; bytes[place]; place++) text += String.fromCharCode(bytes[place])
    return text
  }
}

/** The numbers of a reading as they are written, with their signs; a line of text for each line of the picture. */
export function written(reading) {
  return reading.lines.map(line => line.numbers.map(number => number.text).join(" ")).join("\n")
}

function check(code) {
  if (code !== 0) throw new DigitocrError(code)
}

function aligned(place) {
  return Math.ceil(place / ALIGN) * ALIGN
}

function softmax(logits) {
  const most = Math.max(...logits)
  const parts = logits.map(value => Math.exp(value - most))
  const sum = parts.reduce((a, b) => a + b)
  return parts.map(part => part / sum)
}

/** The likeliest of the ten digits, with its probability and those of all classes. */
function likeliest(probabilities) {
  const ten = probabilities.slice(0, 10)
  const probability = Math.max(...ten)
  return { digit: ten.indexOf(probability), probability, probabilities }
}

/** The smallest box around boxes. */
function around(boxes) {
  const left = Math.min(...boxes.map(([x]) => x)), top = Math.min(...boxes.map(([, y]) => y))
  const right = Math.max(...boxes.map(([x, , width]) => x + width))
  const bottom = Math.max(...boxes.map(([, y, , height]) => y + height))
  return [left, top, right - left, bottom - top]
}

/* --- Grey levels of a picture: step 1 of the specification of the preprocessing ------------------------------------ */

const MASK_RANGE = 18 // grey levels; two levels that are no further apart stand for black and white
const FLAT_SPREAD = 8 // grey levels; the standard deviation below which the colours are looked at
const COLOUR_GAIN = 4 // times the standard deviation of the grey levels that the colours must have to be used instead
const MIN_COLOUR_SPREAD = 8 // levels of colour; less is noise
const SAMPLES = 256 // rows and columns, about, of which the standard deviations are taken

/** A picture in grey levels: {data, width, height}. Grey levels that are given stay, RGBA is converted. */
export function grey(picture) {
  const { data, width, height } = picture ?? {}
  const pixels = width * height
  if (![width, height].every(side => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE)) {
    throw new DigitocrError(SIZE)
  }
  // by their names: arrays of a frame, or of a test in Jest, are of classes of their own
  if (!["Uint8Array", "Uint8ClampedArray"].includes(data?.[Symbol.toStringTag]) || ![pixels, 4 * pixels].includes(data.length)) {
    throw new TypeError(`data has ${width}x${height} bytes of grey levels, or four times as many of RGBA`)
  }
  if (data.length === pixels) return { data: unmasked(data), width, height }
  const levels = new Uint8Array(pixels)
  let isOpaque = true
  for (let at = 0, from = 0; at < pixels; at++, from += 4) {
    levels[at] = (19595 * data[from] + 38470 * data[from + 1] + 7471 * data[from + 2] + 32768) >> 16
    if (data[from + 3] < 255) isOpaque = false
  }
  if (isOpaque) return { data: unmasked(toldApart(levels, data, width, height)), width, height }
  return { data: overContrast(levels, data), width, height }
}

/** Laid on white if the opaque part is dark, on black if it is bright. */
function overContrast(levels, rgba) {
  let bright = 0, opaque = 0
  for (let at = 0; at < levels.length; at++) {
    const alpha = rgba[4 * at + 3]
    levels[at] = Math.round(levels[at] * alpha / 255)
    bright += levels[at]
    opaque += alpha
  }
  if (bright <= opaque / 2) for (let at = 0; at < levels.length; at++) levels[at] += 255 - rgba[4 * at + 3]
  return levels
}

/** A picture of two levels MASK_RANGE apart at most, such as 0 and 1, in black and white. */
function unmasked(levels) {
  let low = 255, high = 0
  for (const level of levels) {
    if (level < low) low = level
    if (level > high) high = level
    if (high - low > MASK_RANGE) return levels
  }
  if (high === low || levels.some(level => level !== low && level !== high)) return levels
  return levels.map(level => (level === high ? 255 : 0))
}

/** The grey levels, or the colours on the line on which they differ most where the grey levels hardly differ. */
function toldApart(levels, rgba, width, height) {
  const stepX = Math.max(1, Math.floor(width / SAMPLES)), stepY = Math.max(1, Math.floor(height / SAMPLES))
  const samples = [] // places of pixels
  for (let y = 0; y < height; y += stepY) for (let x = 0; x < width; x += stepX) samples.push(y * width + x)
  const mean = value => samples.reduce((sum, at) => sum + value(at), 0) / samples.length
  const level = mean(at => levels[at])
  const spread = Math.sqrt(mean(at => (levels[at] - level) ** 2))
  if (spread >= FLAT_SPREAD || samples.length < 2) return levels

  const means = [0, 1, 2].map(channel => mean(at => rgba[4 * at + channel]))
  const covariance = (a, b) => mean(at => (rgba[4 * at + a] - means[a]) * (rgba[4 * at + b] - means[b]))
  const [variance, direction] = principal([0, 1, 2].map(a => [0, 1, 2].map(b => covariance(a, b))))
  const unbiased = Math.max(variance, 0) * samples.length / (samples.length - 1)
  if (Math.sqrt(unbiased) < Math.max(MIN_COLOUR_SPREAD, COLOUR_GAIN * spread)) return levels
  const place = at => rgba[4 * at] * direction[0] + rgba[4 * at + 1] * direction[1] + rgba[4 * at + 2] * direction[2]
  let low = Infinity, high = -Infinity
  for (const at of samples) {
    low = Math.min(low, place(at))
    high = Math.max(high, place(at))
  }
  const told = new Uint8ClampedArray(levels.length) // rounds, and clamps
  for (let at = 0; at < levels.length; at++) told[at] = (place(at) - low) * 255 / (high - low)
  return told
}

/** The largest eigenvalue of a symmetric 3x3 matrix and its direction, whose largest part is positive (Jacobi). */
function principal(matrix) {
  const a = matrix.map(row => [...row])
  const vectors = [[1, 0, 0], [0, 1, 0], [0, 0, 1]] // columns are the eigenvectors
  for (let sweep = 0; sweep < 50; sweep++) {
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]]) {
      if (a[p][q] === 0) continue
      const theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
      const c = 1 / Math.hypot(t, 1), s = t * c
      for (let k = 0; k < 3; k++) [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]]
      for (let k = 0; k < 3; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]]
      for (const row of vectors) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]]
    }
  }
  const best = [0, 1, 2].reduce((one, other) => (a[other][other] > a[one][one] ? other : one))
  const direction = vectors.map(row => row[best])
  const largest = direction.reduce((one, other) => (Math.abs(other) > Math.abs(one) ? other : one))
  return [a[best][best], direction.map(part => part * Math.sign(largest))]
}
