"""TFLite files of each --io in LiteRT.js, in a browser: which it takes, and how far their logits are from LiteRT's.

    digitocr export --model runtime/models/digitocr.keras --format tflite --io float
    digitocr export --model runtime/models/digitocr.keras --format tflite --io uint8
    python benchmarks/litert_js.py runtime/models/digitocr-int8.tflite exports/*.tflite --save

Needs npm and chromium. @litertjs/core is installed in a temporary folder; a page in headless Chromium reads the crops
of each file's golden vectors with the accelerator "wasm", one a call.
"""

import base64
import html
import json
import re
import shutil
import subprocess
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from timing import argument_parser, report

from digitocr.runtime.interpreter import zipped_card
from digitocr.runtime.models import parsed_card
from digitocr.runtime.selftest import golden_path

PACKAGE = "@litertjs/core@2.5.3"
BUDGET = 60_000  # ms of a page's own time
PAGE = """<!doctype html><script type="importmap">{"imports": %(imports)s}</script>
<pre id="out"></pre><script type="module">
import {loadLiteRt, loadAndCompile, Tensor} from '@litertjs/core';
const out = {};
try {
  await loadLiteRt('/node_modules/@litertjs/core/wasm/');
  for (const {name, crops, shape, float} of await (await fetch('given.json')).json()) {
    try {
      const model = await loadAndCompile('/' + name, {accelerator: 'wasm'});
      out[name] = [];
      for (const crop of crops) {
        const values = float ? Float32Array.from(crop, v => v / 255) : Uint8Array.from(crop);
        const [logits] = await model.run([new Tensor(values, shape)]);
        out[name].push(Array.from(await logits.data()));
      }
    } catch (error) { out[name] = String(error.message || error); }
  }
} catch (error) { out.error = String(error.message || error); }
document.getElementById('out').textContent = 'DONE' + JSON.stringify(out) + 'END';
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["npm", "install", "--silent", "--prefix", name, PACKAGE], check=True)
        given = []
        for path in arguments.files:
            shutil.copy(path, folder)
            card = parsed_card(zipped_card(path.read_bytes()))["input"]
            crops = [
                np.frombuffer(base64.b64decode(vector["crop"]), np.uint8).repeat(card["shape"][-1]).tolist()
                for vector in json.loads(golden_path(path).read_text("utf-8"))["vectors"]
            ]
            given.append(
                {"name": path.name, "crops": crops, "shape": card["shape"], "float": card["dtype"] == "float32"}
            )
        (folder / "given.json").write_text(json.dumps(given), "utf-8")
        imports = {}
        for manifest in (folder / "node_modules").rglob("package.json"):
            package = json.loads(manifest.read_text("utf-8"))
            entry = package.get("module") or package.get("main")
            if entry and manifest.parent.parent.parent.name in ("node_modules", folder.name):
                imports[package["name"]] = f"/{manifest.parent.relative_to(folder) / entry}"
        (folder / "page.html").write_text(PAGE % {"imports": json.dumps(imports)}, "utf-8")
        out = in_browser(folder)
    rows = [row(path, out) for path in arguments.files]
    notes = [f"{PACKAGE}, accelerator wasm; 20 golden vectors of each file", "`python benchmarks/litert_js.py`"]
    report("litert-js", "TFLite files in LiteRT.js", rows, notes, arguments.save)


def in_browser(folder: Path) -> dict[str, Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/page.html"
    command = ["chromium", "--headless", "--no-sandbox", f"--virtual-time-budget={BUDGET}", "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    server.shutdown()
    found = re.search("DONE(.*)END</pre>", html.unescape(done.stdout), re.S)
    if found is None:
        raise SystemExit(f"the page did not finish: {done.stdout[-500:]}")
    out: dict[str, Any] = json.loads(found[1])
    if "error" in out:
        raise SystemExit(out["error"])
    return out


def row(path: Path, out: dict[str, Any]) -> dict[str, Any]:
    card = parsed_card(zipped_card(path.read_bytes()))
    answer = out[path.name]
    if isinstance(answer, str):
        result = answer.split("\n")[0]
    else:
        logits = np.array(answer, np.float64)
        if "scale" in card["output"]:
            logits = (logits - card["output"]["zero_point"]) * card["output"]["scale"]
        expected = [vector["logits"] for vector in json.loads(golden_path(path).read_text("utf-8"))["vectors"]]
        difference = float(np.abs(logits - expected).max())
        result = f"runs; logits differ by {difference:.0e}" if difference > 1e-6 else "runs; same logits"
    return {
        "file": path.name,
        "input and output": f"{card['input']['dtype']}, {card['output']['dtype']}",
        "LiteRT.js": result,
    }


if __name__ == "__main__":
    main()
