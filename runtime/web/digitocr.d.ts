/** A picture: grey levels, width * height bytes, or RGBA, four times as many, as ImageData has it. */
export interface Picture {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** Left, top, width and height in pixels of the picture. */
export type Box = [number, number, number, number]

export interface Options {
  /** 0 to 1, default 0.5: less certain digits are left out, or are places of doubt. */
  conf?: number
  /** Degrees clockwise by which the picture is turned before; "auto", the default, tries what reads best. */
  rotate?: "auto" | 0 | 90 | 180 | 270
  /** "line": the picture is one line of digits; "single": one digit; "auto", the default: lines, wherever they are. */
  mode?: "auto" | "line" | "single"
}

/** The keys are those of `digitocr predict --jsonl`. */
export interface Reading {
  /** The digits without signs, "?" for one that cannot be told; numbers apart by a space, lines by "\n". */
  text: string
  /** Of the least certain digit, 0 to 1; 0 where nothing was read. */
  confidence: number
  /** Degrees clockwise by which the picture was turned to be read. */
  turned: number
  /** From top to bottom. */
  lines: Line[]
  /** Milliseconds that reading took. */
  ms: { read: number }
}

export interface Line {
  text: string
  /** From left to right. */
  numbers: Numeral[]
}

/** A number that was read. */
export interface Numeral {
  /** As it is written, with its signs. */
  text: string
  /** That all of it is right, 0 to 1; 0 where a digit cannot be told. */
  confidence: number
  box: Box
  digits: Digit[]
}

export interface Digit {
  /** 0 to 9; null where a digit stands that cannot be told. */
  digit: number | null
  /** The share of readings like this one that are right, 0 to 1. */
  confidence: number
  box: Box
  /** Up to three of [digit, the network's probability], the likeliest first. */
  topk: [number, number][]
}

export interface Class {
  /** The likeliest of the ten digits. */
  digit: number
  probability: number
  /** Of all classes: ten digits, and "no digit" where the network knows it. */
  probabilities: number[]
}

/** `code` is that of enum digitocr_error in digitocr.h. */
export declare class DigitocrError extends Error {
  readonly code: number
}

/** Reads pictures, one at a time. Made by `load`. What is no picture or option raises a TypeError or a DigitocrError. */
export declare class Reader {
  private constructor()
  /** 10, or 11 where the network knows "no digit". */
  readonly classes: number
  /** The numbers in a picture. */
  read(picture: Picture, options?: Options): Reading
  /** The crops of 28x28 grey levels that the network saw of the first digits of a reading, at most `most`. */
  crops(picture: Picture, reading: Reading, most?: number): Uint8Array[]
  /** One digit of 28x28 pixels, bright on dark as MNIST has it. */
  classify(picture: Picture): Class & { logits: number[] }
  /** The digit in a box of a picture. */
  classifyBox(picture: Picture, box: Box): Class
}

/** A WebAssembly.Module, where TypeScript's libraries have it: "dom" is not among those of each project of Node. */
type Module = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } } ? T : never

/** Loads digitocr.wasm: by default the file beside digitocr.js. A string is an address, as fetch takes it. */
export declare function load(
  source?: string | URL | ArrayBuffer | ArrayBufferView | Module | Response | Promise<Response>,
): Promise<Reader>

/** The numbers of a reading as they are written, with their signs; a line of text for each line of the picture. */
export declare function written(reading: Reading): string

/** The grey levels of a picture that are read. */
export declare function grey(picture: Picture): Picture
