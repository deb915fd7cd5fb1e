#!/usr/bin/env bash
# Chromium 156 in English takes 12,5 typed or pasted into a field of type number as 125, and calls it valid.
#
# Input: a form with <input type="number" step="any">, and readings that a person types or pastes there; in headless
# Chromium, which has to be on the PATH. Guess: the number where the text is one; and for other texts an empty value,
# with validity.badInput, so that the form is not sent. The same texts, set by a script as field.value, give "".
# Seen: signs that cannot stand in an English number are dropped, and the digits around them joined: "12,5" is 125,
# "4831,56" is 483156, "4?31" is 431, "4831 m3" is 48313, "1785 3940" is 17853940, "12:30" is 1230, "1/2" is 12, and
# "1.785,4" is 1.7854. The minus sign U+2212, which toLocaleString('sv') and typesetting write, is dropped too: "−12.5"
# is 12.5. checkValidity() is true for all of them. "12-5" is bad input. A field of type text keeps them. Key strokes,
# the clipboard and execCommand("insertText"), which the script uses, do the same. Issue 1169 of mrbeam/MrBeamPlugin has
# Firefox in English, which gives an empty value for 5,0; for the digits that are joined none was found.
# Why it matters: readings are corrected in such fields, and much of the world writes a decimal comma. Ten or a hundred
# times the value passes every check, and what could not be read becomes a shorter number. Use a field of type text with
# inputmode="decimal" and a pattern, and look at the whole text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > page.html << 'PAGE'
<!doctype html><meta charset="utf-8"><form><input id="number" type="number" step="any"><input id="text"></form>
<pre id="out"></pre><script>
const wanted = {
  '4831': '4831', '12.5': '12.5', '-12.5': '-12.5', '0042': '0042', '12-5': '',
  '12,5': '125', '4831,56': '483156', '1.785,4': '1.7854', '4?31': '431', '4831 m3': '48313', '1785 3940': '17853940',
  '12:30': '1230', '1/2': '12', '\u221212.5': '12.5',
}
function typed(name, text) {
  const field = document.getElementById(name)
  field.value = ''
  field.focus()
  document.execCommand('insertText', false, text)
  return field
}
const lines = [], field = document.getElementById('number')
let same = true
for (const [text, value] of Object.entries(wanted)) {
  field.value = text
  const set = field.value, found = typed('number', text).value, valid = field.checkValidity()
  const kept = typed('text', text).value === text
  lines.push(`${text}: typed "${found}", valid ${valid}; set "${set}"; field of type text: ${kept ? 'kept' : 'lost'}`)
  same &&= found === value && valid === (text !== '12-5') && set === (Number.isNaN(Number(text)) ? '' : text) && kept
}
lines.push(navigator.language, navigator.userAgent.match(/Chrome\S*/)[0])
lines.push(same ? 'as described' : 'the behaviour has changed')
document.getElementById('out').textContent = lines.join('\n')
</script>
PAGE
LANGUAGE=en_US chromium --headless --no-sandbox --virtual-time-budget=9000 --dump-dom "file://$folder/page.html" \
  2> /dev/null > seen.html
sed -n '/<pre/,/<\/pre>/p' seen.html | sed '/<script/,$d; s/<[^>]*>//g'
grep -q '^as described' seen.html || { echo "the behaviour has changed"; exit 1; }
