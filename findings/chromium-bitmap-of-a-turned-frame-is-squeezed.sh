#!/usr/bin/env bash
# Chromium 156: createImageBitmap of a VideoFrame that is turned by 90 degrees is upright, but squeezed to the old size.
#
# Input: a white frame of 16x8 pixels with a black square of 4x4 in its corner, as new VideoFrame(bytes, { rotation });
# in headless Chromium without a GPU, which has to be on the PATH. ImageDecoder gives such frames of a JPEG file whose
# Exif says that it is to be turned, as phones write it. Guess: a bitmap of 8x16 with a square of 4x4, as the frame's
# displayWidth and displayHeight say, and as drawImage() draws it.
# Seen: with a rotation of 90 or 270, the bitmap is of 16x8 and the square of 8x2: the picture is turned, and then
# squeezed into the size that it had before. With 0 and 180 it is right. createImageBitmap(frame, 0, 0, 8, 16), which
# asks for all of the frame, is of 8x16, and half of it is empty. { resizeWidth: 8, resizeHeight: 16 } gives the right
# bitmap, as does drawImage(), also of a part. No error. Issue 351 of w3c/webcodecs is about the turning itself; for the
# size of the bitmap none was found.
# Why it matters: digits of a phone's picture are upright, and at 4:3 nearly twice as wide as they should be: a 0 is
# flat, and a network reads what it never saw. A landscape picture of the same phone is right. Draw the frame on a
# canvas of displayWidth and displayHeight.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > page.html << 'PAGE'
<!doctype html><pre id="out"></pre><script>
const WIDTH = 16, HEIGHT = 8
function frame(rotation) {
  const bytes = new Uint8Array(4 * WIDTH * HEIGHT).fill(255)
  for (let y = 0; y < 4; y++) for (let x = 0; x < 4; x++) bytes.fill(0, 4 * (WIDTH * y + x), 4 * (WIDTH * y + x) + 3)
  return new VideoFrame(bytes, { format: 'RGBA', codedWidth: WIDTH, codedHeight: HEIGHT, timestamp: 0, rotation })
}
// Size of a picture, of what is black in it, and whether something is empty
function told(picture, width, height) {
  const canvas = new OffscreenCanvas(width, height).getContext('2d')
  canvas.drawImage(picture, 0, 0)
  const { data } = canvas.getImageData(0, 0, width, height), xs = [], ys = []
  let empty = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x)
      if (data[at + 3] < 128) empty += 1
      else if (data[at] < 128) { xs.push(x); ys.push(y) }
    }
  }
  const extent = (list) => Math.max(...list) - Math.min(...list) + 1
  const black = xs.length ? `${extent(xs)}x${extent(ys)}` : 'nothing'
  return `${width}x${height} with ${black}${empty ? `, ${empty} pixels empty` : ''}`
}
const wide = '16x8 with 4x4', tall = '8x16 with 4x4'
const wanted = {
  0: { canvas: wide, bitmap: wide, 'bitmap of all': wide, 'bitmap with resize': wide },
  180: { canvas: wide, bitmap: wide, 'bitmap of all': wide, 'bitmap with resize': wide },
  90: { canvas: tall, bitmap: '16x8 with 8x2', 'bitmap of all': '8x16 with 8x2, 64 pixels empty',
    'bitmap with resize': tall },
  270: { canvas: tall, bitmap: '16x8 with 8x2', 'bitmap of all': '8x16 with nothing, 64 pixels empty',
    'bitmap with resize': tall },
}
const lines = []
async function show() {
  let same = true
  for (const [rotation, texts] of Object.entries(wanted)) {
    const picture = frame(Number(rotation)), { displayWidth, displayHeight } = picture
    const size = { resizeWidth: displayWidth, resizeHeight: displayHeight }
    const bitmaps = {
      bitmap: await createImageBitmap(picture),
      'bitmap of all': await createImageBitmap(picture, 0, 0, displayWidth, displayHeight),
      'bitmap with resize': await createImageBitmap(picture, size),
    }
    const found = { canvas: told(picture, displayWidth, displayHeight) }
    for (const [way, bitmap] of Object.entries(bitmaps)) found[way] = told(bitmap, bitmap.width, bitmap.height)
    const said = Object.entries(found).map(([way, text]) => `${way} ${text}`)
    lines.push(`rotation ${rotation}, frame of ${displayWidth}x${displayHeight}: ${said.join('; ')}`)
    same &&= JSON.stringify(found) === JSON.stringify(texts)
  }
  lines.push(navigator.userAgent.match(/Chrome\S*/)[0], same ? 'as described' : 'the behaviour has changed')
}
show().catch((error) => lines.push(String(error))).finally(() => {
  document.getElementById('out').textContent = lines.join('\n')
})
</script>
PAGE
chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=9000 --dump-dom "file://$folder/page.html" \
  2> /dev/null > seen.html
sed -n '/<pre/,/<\/pre>/p' seen.html | sed '/<script/,$d; s/<[^>]*>//g'
grep -q '^as described' seen.html || { echo "the behaviour has changed"; exit 1; }
