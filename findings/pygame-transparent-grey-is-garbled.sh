#!/usr/bin/env bash
# pygame 2.6.1 loads a grey PNG with one transparent grey as orange on blue, a negative, or as ink as light as paper.
#
# Input: a PNG of a 42 in grey 20 on paper of grey 200, of 8 bits and one channel, with a tRNS chunk that makes grey 200
# or black transparent; the same in 1 bit. Pillow writes them with save(transparency=200). As controls the same without
# tRNS, with an alpha channel, as a palette with a transparent entry, and as RGB with a transparent colour.
# Guess: image.load gives grey 20 and grey 200, as for all controls, and the transparency as alpha or as a colour key.
# pygame-ce does.
# Seen: with transparent paper, ink is (255, 226, 164) and paper (0, 24, 65): their lightness is 228 and 21, not 20 and
# 200. With transparent black, of which the picture has none, paper is (255, 250, 65), of lightness 230, so that no
# digit is left in grey. In 1 bit ink is yellow and paper blue. There is no error, and convert_alpha() does not help. A
# pixel is a grey and an alpha of 8 bits each, and the surface takes these two bytes for red, green and blue of 5, 6
# and 5 bits: its masks are 63488, 2016 and 31. pygame comes with SDL_image 2.0.5. pygame-ce 2.5.8 comes with 2.8.12,
# which gives 32 bits. Issue 3036 of pygame-community/pygame-ce, of 2024, closed, is about PNG read by libpng.
# Why it matters: pictures of displays with a transparent background are stored this way. What is loaded has the right
# size, and a reader sees light digits on a dark background, or none. Use pygame-ce, or write an alpha channel.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for package in pygame==2.6.1 pygame-ce==2.5.8; do
  python3 -m venv "$folder/$package"
  "$folder/$package/bin/pip" install --quiet --disable-pip-version-check $package pillow==13.0.0 numpy==2.4.6
done
cat > "$folder/show.py" << 'PYTHON'
import sys

import numpy as np
import pygame
from PIL import Image, ImageDraw, ImageFont

folder, expected = sys.argv[1:]
grey = Image.new("L", (60, 40), 200)
ImageDraw.Draw(grey).text((5, 0), "42", 20, ImageFont.load_default(size=36), anchor="lt")
grey = grey.point(lambda value: 20 if value < 110 else 200)
ink = np.asarray(grey) == 20
bits = grey.point(lambda value: 255 * (value > 100)).convert("1")
cases = {
    "grey": (grey, {}), "bits": (bits, {}), "grey and alpha": (grey.convert("LA"), {}),
    "palette, transparent paper": (grey.convert("P"), {"transparency": 200}),
    "RGB, transparent paper": (grey.convert("RGB"), {"transparency": (200, 200, 200)}),
    "grey, transparent paper": (grey, {"transparency": 200}), "grey, transparent black": (grey, {"transparency": 0}),
    "bits, transparent paper": (bits, {"transparency": 1}),
}
print("pygame", pygame.version.ver, "SDL_image", pygame.image.get_sdl_image_version())
pygame.display.init()
pygame.display.set_mode((60, 40))
wrong = {}
for name, (picture, options) in cases.items():
    picture.save(folder + "/42.png", **options)
    true = np.asarray(Image.open(folder + "/42.png").convert("RGB"))
    surface = pygame.image.load(folder + "/42.png")
    found, converted = (pygame.surfarray.array3d(made).swapaxes(0, 1) for made in (surface, surface.convert_alpha()))
    light = found @ [0.299, 0.587, 0.114]
    print(f"{name}: {surface.get_bitsize()} bits, masks {surface.get_masks()}, colour key {surface.get_colorkey()};",
          f"ink {found[ink][0].tolist()}, paper {found[~ink][0].tolist()},",
          f"lightness {light[ink].mean():.0f} and {light[~ink].mean():.0f}")
    if not np.array_equal(found, true):
        wrong[name] = found[ink][0].tolist(), found[~ink][0].tolist(), np.array_equal(converted, true)
garbled = {
    "grey, transparent paper": ([255, 226, 164], [0, 24, 65], False),
    "grey, transparent black": ([255, 226, 164], [255, 250, 65], False),
    "bits, transparent paper": ([255, 226, 0], [0, 28, 255], False),
}
sys.exit(0 if wrong == (garbled if expected == "wrong" else {}) else "the behaviour has changed")
PYTHON
export SDL_VIDEODRIVER=dummy PYGAME_HIDE_SUPPORT_PROMPT=1
"$folder/pygame==2.6.1/bin/python" "$folder/show.py" "$folder" wrong
"$folder/pygame-ce==2.5.8/bin/python" "$folder/show.py" "$folder" right
