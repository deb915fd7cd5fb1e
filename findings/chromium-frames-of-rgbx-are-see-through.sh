#!/usr/bin/env bash
# Chromium 156 takes the unused byte of a VideoFrame of format RGBX or BGRX for alpha: grey 100 is white, or nothing.
#
# Input: frames of 4x4 pixels of one grey as new VideoFrame(bytes, { format }), whose fourth byte is 0, 50, 128 or 255;
# in headless Chromium without a GPU, which has to be on the PATH. Guess: the grey, opaque, whatever the fourth byte is.
# WebCodecs says of both formats: "The fourth element in each pixel is to be ignored, the image is always fully opaque."
# Seen: only 255 is right. With 0, which padding mostly is, a 2D canvas, createImageBitmap() and copyTo({ format: 'RGBA'
# }) give 0, 0, 0, 0: a transparent frame, whatever was in it. With 50, grey 100 is white of alpha 50; with 128 it is
# 199. The bytes are read as if they had been multiplied by an alpha, and divided by it. A canvas of getContext('2d', {
# alpha: false }) is right with each, copyTo() without a format gives the bytes, and so it does for RGBA. No error.
# Issue 61 of RPi-Distro/chromium has the byte as alpha in frames of a Raspberry Pi's decoder on X11; for frames of
# bytes none was found.
# Why it matters: frames of a camera or a screen go to a canvas and from there to a network. Black without alpha is ink
# everywhere, and thin grey strokes become white. Use { alpha: false }, or set each fourth byte to 255.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > page.html << 'PAGE'
<!doctype html><pre id="out"></pre><script>
function frame(format, grey, fourth) {
  const bytes = new Uint8Array(64).map((_, n) => (n % 4 === 3 ? fourth : grey))
  return new VideoFrame(bytes, { format, codedWidth: 4, codedHeight: 4, timestamp: 0 })
}
function drawn(picture, options) {
  const canvas = new OffscreenCanvas(4, 4).getContext('2d', options)
  canvas.drawImage(picture, 0, 0)
  return [...canvas.getImageData(1, 1, 1, 1).data].join(' ')
}
async function copied(picture, options) {
  const bytes = new Uint8Array(picture.allocationSize(options))
  await picture.copyTo(bytes, options)
  return [...bytes.subarray(0, 4)].join(' ')
}
const wanted = { 255: '100 100 100 255', 128: '199 199 199 128', 50: '255 255 255 50', 0: '0 0 0 0' }
const lines = []
async function show() {
  let same = true
  for (const format of ['RGBX', 'BGRX', 'RGBA']) {
    for (const [fourth, text] of Object.entries(wanted)) {
      const picture = frame(format, 100, Number(fourth))
      const found = {
        canvas: drawn(picture), 'canvas without alpha': drawn(picture, { alpha: false }),
        bitmap: drawn(await createImageBitmap(picture)), 'copy as RGBA': await copied(picture, { format: 'RGBA' }),
        copy: await copied(picture),
      }
      const said = Object.entries(found).map(([way, pixel]) => `${way} ${pixel}`)
      lines.push(`${format}, 100 and ${fourth}: ${said.join(', ')}`)
      same &&= found.copy === `100 100 100 ${fourth}`
      if (format === 'RGBA') same &&= found['copy as RGBA'] === found.copy
      else {
        same &&= ['canvas', 'bitmap', 'copy as RGBA'].every((way) => found[way] === text)
        same &&= found['canvas without alpha'] === '100 100 100 255'
      }
    }
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
