/* The page: takes a drawing, a picture or the camera, has it read by the worker, and shows what was read. */

const STEP = 10 // pixels of the drawing area that an arrow key moves the pen
const PEN = 22 // pixels; width of a stroke
const FRAME_SIDE = 1024 // pixels of the longer side of a camera's frame that is read
const UNSURE = 0.5 // confidence; numbers below it have a dashed frame
const MARK = "#0a8f3c", UNSURE_MARK = "#c25700" // colours of frames; both are told from white and black

const at = id => document.getElementById(id)
const base = at("base"), marks = at("marks"), video = at("video"), stage = at("stage")
const paper = base.getContext("2d", { willReadFrequently: true })

let way = "draw" // or "picture", "camera"
let turn = 0 // answers to earlier ones are out of date
let answer = null // the reading that is shown
let size = { width: base.width, height: base.height } // of the picture that the boxes are in
let source = "drawing" // its name

/* --- The worker: one request at a time, and the newest that waits ------------------------------------------------ */

let worker
let isBusy = true, waiting = null
begin()

/** Starts the worker with the reader; both are packed in the page. */
async function begin() {
  let content
  try {
    content = await unpacked(at("packed"))
  } catch {
    say(
      "DecompressionStream" in self
        ? "This file is damaged, or was changed when it was saved. Copy it again."
        : "This browser is too old for this page: it needs DecompressionStream.",
    )
    return
  }
  const end = content.indexOf(0) // of the worker's source, which the wasm follows
  worker = new Worker(URL.createObjectURL(new Blob([content.subarray(0, end)], { type: "text/javascript" })))
  worker.onmessage = answered
  worker.onerror = () => say("The reader has stopped. Load the page again.")
  worker.postMessage({ wasm: content.slice(end + 1) })
}

/** The content of an element in which export/to_web.py packed it: base64, compressed by gzip. */
async function unpacked({ textContent }) {
  const packed = Uint8Array.from(atob(textContent), character => character.charCodeAt(0))
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function answered({ data }) {
  if (data.turn === undefined && data.error) {
    say(data.error)
    return
  }
  isBusy = false
  if (data.loaded) {
    if (at("state").textContent === "Getting ready") say("")
  } else if (data.turn === turn) {
    if (data.error) refuse(data.error)
    else show(data)
  }
  next()
}

function ask(request, transfer = []) {
  waiting = { request: { turn, name: source, ...request }, transfer }
  next()
}

function next() {
  if (isBusy || !waiting) return
  isBusy = true
  worker.postMessage(waiting.request, waiting.transfer)
  waiting = null
}

function say(sentence) {
  if (at("state").textContent !== sentence) at("state").textContent = sentence
}

function refuse(sentence) {
  clearReading()
  say(sentence)
}

/* --- What was read --------------------------------------------------------------------------------------------- */

function clearReading() {
  answer = null
  at("text").textContent = at("facts").textContent = at("said").textContent = ""
  at("digits").replaceChildren()
  at("copy-text").disabled = at("copy-json").disabled = true
  drawMarks()
}

function text() {
  return answer.reading.lines.map(line => line.numbers.map(number => number.text).join(" ")).join("\n")
}

function show(data) {
  const before = answer && text()
  answer = data
  size = { width: data.width, height: data.height }
  if (data.shown) {
    base.width = data.shown.width
    base.height = data.shown.height
    paper.fillStyle = "#888" // behind what is transparent: dark ink and bright ink are seen on it in either colour scheme
    paper.fillRect(0, 0, base.width, base.height)
    paper.drawImage(data.shown, 0, 0)
    data.shown.close()
    base.setAttribute("aria-label", `The picture ${source}`)
  }
  const { reading } = data
  const hasRead = reading.lines.length > 0
  at("text").textContent = text()
  at("copy-text").disabled = !hasRead
  at("copy-json").disabled = false
  const times = [["decoded", reading.ms.decode], ["read", reading.ms.read]].filter(([, ms]) => ms >= 0.5)
  const facts = times.map(([what, ms]) => `${what} in ${Math.round(ms)} ms`)
  if (hasRead) facts.unshift(`least certain digit ${percent(reading.confidence)}`)
  if (reading.turned) facts.push(`turned by ${reading.turned}° to be read`)
  facts.push(`${data.width} × ${data.height} pixels`)
  at("facts").textContent = facts.join(" · ")
  if (way !== "camera") say(data.note || (hasRead ? "" : "No number was found."))
  // a camera's readings flicker: a screen reader says what two frames in turn agree on
  if (way !== "camera" || before === text()) {
    const said = hasRead ? text() : "No number"
    if (at("said").textContent !== said) at("said").textContent = said
  }
  at("digits").replaceChildren(...digits().slice(0, data.crops.length).map((digit, index) => shownDigit(digit, data.crops[index])))
  drawMarks()
}

function digits() {
  return answer.reading.lines.flatMap(line => line.numbers).flatMap(number => number.digits)
}

function percent(share) {
  return `${Math.floor(100 * share)} %`
}

/** An entry of the list of digits: the crop that the network saw, the digit, its confidence, and what else it may be. */
function shownDigit(digit, crop) {
  const entry = document.createElement("li"), canvas = document.createElement("canvas"), name = document.createElement("b")
  canvas.width = canvas.height = 28
  canvas.setAttribute("aria-hidden", "true")
  const pixels = new ImageData(28, 28)
  crop.forEach((level, place) => pixels.data.set([level, level, level, 255], 4 * place))
  canvas.getContext("2d").putImageData(pixels, 0, 0)
  name.textContent = digit.digit ?? "?"
  const others = digit.topk.filter(([other, share]) => other !== digit.digit && share >= 0.01)
  const rest = others.map(([other, share]) => `${other}: ${percent(share)}`).join(", ")
  entry.append(canvas, name, ` ${percent(digit.confidence)}`)
  if (rest) entry.append(document.createElement("br"), `or ${rest}`)
  return entry
}

/** Frames around numbers and digits, with the numbers above them. */
function drawMarks() {
  const sharpness = window.devicePixelRatio || 1
  const wide = stage.clientWidth, high = stage.clientHeight
  marks.width = Math.round(wide * sharpness)
  marks.height = Math.round(high * sharpness)
  const context = marks.getContext("2d")
  const scale = Math.min(wide / size.width, high / size.height) // the picture may be narrower than the stage
  context.scale(sharpness, sharpness)
  context.translate((wide - size.width * scale) / 2, (high - size.height * scale) / 2)
  context.font = "600 15px system-ui, sans-serif"
  context.textBaseline = "bottom"
  for (const number of answer ? answer.reading.lines.flatMap(line => line.numbers) : []) {
    const isSure = number.confidence >= UNSURE
    const color = isSure ? MARK : UNSURE_MARK
    const [x, y, width, height] = number.box.map(value => value * scale)
    context.setLineDash(isSure ? [] : [6, 4])
    frame(context, x - 3, y - 3, width + 6, height + 6, color, 2.5)
    for (const digit of number.digits) frame(context, ...digit.box.map(value => value * scale), color, 1)
    const wideText = context.measureText(number.text).width + 8
    const top = Math.max(20, y - 4)
    context.fillStyle = color
    context.fillRect(x - 4, top - 20, wideText, 20)
    context.fillStyle = "#fff"
    context.fillText(number.text, x, top - 1)
  }
  if (way === "draw" && document.activeElement === base) {
    context.setLineDash([])
    context.beginPath()
    context.arc(pen.x * scale, pen.y * scale, (PEN / 2) * scale, 0, 7)
    context.strokeStyle = "#0b57b7"
    context.lineWidth = 2
    context.stroke()
  }
}

function frame(context, x, y, width, height, color, thickness) {
  context.strokeStyle = "#fff" // a white line under the coloured one, so that it is seen on any picture
  context.lineWidth = thickness + 2
  context.strokeRect(x, y, width, height)
  context.strokeStyle = color
  context.lineWidth = thickness
  context.strokeRect(x, y, width, height)
}

new ResizeObserver(drawMarks).observe(stage)

/* --- The ways in ------------------------------------------------------------------------------------------------- */

const HINTS = {
  draw: "Draw a number here",
  picture: "Drop or paste a picture here, or choose one",
  camera: "",
}

function take(chosen) {
  way = chosen
  turn++
  waiting = null
  stopCamera()
  clearReading()
  say("")
  document.querySelector(`[name=way][value=${way}]`).checked = true
  at("clear").hidden = way !== "draw"
  at("choose").hidden = way !== "picture"
  at("hold").hidden = way !== "camera"
  at("cameras").hidden = true
  base.hidden = way === "camera"
  video.hidden = way !== "camera"
  base.classList.toggle("draw", way === "draw")
  base.tabIndex = way === "draw" ? 0 : -1
  base.setAttribute("role", way === "draw" ? "application" : "img")
  base.width = 640
  base.height = 400
  size = { width: 640, height: 400 }
  hint(HINTS[way])
  if (way === "draw") clearDrawing()
  else base.removeAttribute("aria-roledescription")
  if (way === "picture") base.setAttribute("aria-label", "No picture yet")
  if (way === "camera") startCamera()
}

function hint(sentence) {
  at("hint").textContent = sentence
  at("hint").hidden = !sentence
}

for (const input of document.querySelectorAll("[name=way]")) input.onchange = () => take(input.value)

/* --- Drawing: a pointer, or the arrow keys ------------------------------------------------------------------------ */

const pen = { x: 320, y: 200 }
let drawer = null // the pointer that draws; a second finger or the ball of the hand does not

function clearDrawing() {
  source = "drawing"
  turn++
  base.setAttribute("aria-roledescription", "drawing area")
  base.setAttribute("aria-label", "Draw digits here. The arrow keys move the pen, with Shift they draw, Delete clears.")
  paper.fillStyle = "#fff"
  paper.fillRect(0, 0, base.width, base.height)
  clearReading()
  say("")
  hint(HINTS.draw)
}

function stroke(x, y) {
  hint("")
  paper.strokeStyle = "#111"
  paper.lineWidth = PEN
  paper.lineCap = paper.lineJoin = "round"
  paper.beginPath()
  paper.moveTo(pen.x, pen.y)
  paper.lineTo(x, y)
  paper.stroke()
  move(x, y)
  const image = paper.getImageData(0, 0, base.width, base.height)
  ask({ image, options: { rotate: 0 } })
}

function move(x, y) {
  pen.x = Math.max(0, Math.min(base.width, x))
  pen.y = Math.max(0, Math.min(base.height, y))
}

/** Where a pointer is, in pixels of the drawing area. */
function placeOf(event) {
  const seen = base.getBoundingClientRect()
  const scale = Math.min(seen.width / base.width, seen.height / base.height)
  const left = (seen.width - base.width * scale) / 2, top = (seen.height - base.height * scale) / 2
  return [(event.clientX - seen.left - left) / scale, (event.clientY - seen.top - top) / scale]
}

base.onpointerdown = event => {
  if (way !== "draw" || event.button !== 0 || !event.isPrimary) return
  base.setPointerCapture(event.pointerId)
  drawer = event.pointerId
  move(...placeOf(event))
  stroke(...placeOf(event))
}
base.onpointermove = event => {
  if (event.pointerId === drawer) stroke(...placeOf(event))
}
base.onpointerup = base.onpointercancel = event => {
  if (event.pointerId === drawer) drawer = null
}
base.onfocus = base.onblur = drawMarks
base.onkeydown = event => {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
  if (way !== "draw") return
  if (event.key in steps) {
    const [x, y] = steps[event.key]
    if (event.shiftKey) stroke(pen.x + STEP * x, pen.y + STEP * y)
    else move(pen.x + STEP * x, pen.y + STEP * y)
    drawMarks()
  } else if (event.key === "Delete" || event.key === "Backspace") clearDrawing()
  else return
  event.preventDefault()
}
at("clear").onclick = () => {
  clearDrawing()
  base.focus({ preventScroll: true })
}

/* --- Pictures: chosen, dropped or pasted --------------------------------------------------------------------------- */

function open(files) {
  const [file] = files
  if (!file) return
  if (way !== "picture") take("picture")
  turn++
  source = file.name || "picture"
  clearReading()
  hint("")
  say(`Reading ${source}`)
  ask({ file, options: { rotate: "auto" } })
}

at("choose").onclick = () => at("file").click()
at("file").onchange = () => {
  open(at("file").files)
  at("file").value = "" // so that the same file can be chosen again
}
document.ondragover = event => {
  event.preventDefault()
  stage.classList.add("dropping")
}
document.ondragleave = () => stage.classList.remove("dropping")
document.ondrop = event => {
  event.preventDefault()
  stage.classList.remove("dropping")
  if (event.dataTransfer.files.length) open(event.dataTransfer.files)
  else say("That is no file. Save the picture first; this page loads nothing from the network.")
}
document.onpaste = event => {
  if (event.clipboardData.files.length) open(event.clipboardData.files)
  else say("There is no picture to paste.")
}

/* --- The camera ------------------------------------------------------------------------------------------------------ */

const REFUSALS = {
  NotAllowedError: "The camera was refused. Allow it for this page in the browser, then choose Camera again.",
  NotFoundError: "There is no camera that the browser can use.",
  OverconstrainedError: "There is no such camera any more.",
  NotReadableError: "The camera cannot be opened; another program may be using it.",
}
let stream = null

async function startCamera(device) {
  const own = turn
  if (!navigator.mediaDevices?.getUserMedia) {
    say("This browser gives no camera to this page. Open it over https or as a file, in another browser.")
    return
  }
  say("Waiting for the camera")
  const wanted = device ? { deviceId: { exact: device } } : { facingMode: "environment" }
  let given
  try {
    given = await navigator.mediaDevices.getUserMedia({ video: { ...wanted, width: { ideal: 1280 } } })
  } catch (error) {
    if (own === turn) say(REFUSALS[error.name] ?? `The camera cannot be used: ${error.message}.`)
    return
  }
  if (own !== turn) { // another way was chosen while the browser asked
    for (const track of given.getTracks()) track.stop()
    return
  }
  stream = given
  source = "camera"
  stream.getVideoTracks()[0].onended = () => {
    if (own === turn) say("The camera has gone. Choose Camera again when it is back.")
  }
  video.srcObject = stream
  setHold(false)
  await video.play().catch(() => {}) // ended by another way
  if (own !== turn) return
  say("")
  await listCameras()
  watch(own)
}

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop()
  stream = video.srcObject = null
}

async function listCameras() {
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(device => device.kind === "videoinput")
  const used = stream?.getVideoTracks()[0].getSettings().deviceId
  at("cameras").replaceChildren(
    ...cameras.map(({ deviceId, label }, number) => new Option(label || `Camera ${number + 1}`, deviceId, false, deviceId === used)),
  )
  at("cameras").hidden = way !== "camera" || cameras.length < 2
}

at("cameras").onchange = () => {
  turn++
  stopCamera()
  startCamera(at("cameras").value)
}

/** Has a new frame read whenever the worker is free. */
function watch(own) {
  const again = () => {
    if (own !== turn || !stream) return
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(look)
    else requestAnimationFrame(look)
  }
  const look = async () => {
    if (own !== turn || !stream) return
    if (!isBusy && !waiting && video.videoWidth && !video.paused) {
      const scale = Math.min(1, FRAME_SIDE / Math.max(video.videoWidth, video.videoHeight))
      const resizeWidth = Math.round(video.videoWidth * scale), resizeHeight = Math.round(video.videoHeight * scale)
      const bitmap = await createImageBitmap(video, { resizeWidth, resizeHeight }).catch(() => null)
      if (bitmap && own === turn && !video.paused) ask({ bitmap, options: { rotate: 0 } }, [bitmap])
    }
    again()
  }
  again()
}

function setHold(isHeld) {
  at("hold").setAttribute("aria-pressed", isHeld)
  at("hold").textContent = isHeld ? "Go on" : "Hold"
}

at("hold").onclick = () => {
  if (!stream) return
  setHold(!video.paused)
  if (video.paused) video.play()
  else video.pause()
}

document.onvisibilitychange = () => {
  const isHeld = at("hold").getAttribute("aria-pressed") === "true"
  if (!stream || isHeld) return
  if (document.hidden) {
    video.pause()
    say("Paused while the page is in the background.")
  } else {
    video.play()
    say("")
  }
}

/* --- Copies ------------------------------------------------------------------------------------------------------------ */

async function copy(content, what) {
  try {
    await navigator.clipboard.writeText(content)
    say(`${what} copied.`)
  } catch {
    say("The browser does not let this page copy. Select the text and copy it.")
  }
}

at("copy-text").onclick = () => copy(text(), "Text")
at("copy-json").onclick = () => {
  const round = (key, value) => (typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value)
  copy(JSON.stringify({ source, ...answer.reading }, round, 2), "JSON")
}

take("draw")
say("Getting ready")
