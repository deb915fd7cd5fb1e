#!/usr/bin/env bash
# Keras 3.15.1's UpSampling2D "nearest" becomes two tilings in five dimensions in a TFLite file, not a resize operator.
#
# Input: a Keras model of one UpSampling2D(2), converted by TensorFlow 2.21.0. Guess: nearest and bilinear become
# RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR, TFLite's operators for them.
# Seen: bilinear does. Nearest, the default, becomes RESHAPE and TILE on tensors of five dimensions, twice: Keras 3
# repeats rows and columns by itself. tf.image.resize(..., "nearest") in a Lambda layer becomes RESIZE_NEAREST_NEIGHBOR.
# Why it matters: a detector's decoder is full of such layers. Delegates of phones and kernels of microcontrollers take
# four dimensions at most, so the file that runs on the desk is refused, or falls back to the processor, on the device.
# Write RESIZE_NEAREST_NEIGHBOR into the file, or resize by tf.image.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import keras
import tensorflow as tf

made = {
    "nearest": keras.layers.UpSampling2D(2),
    "bilinear": keras.layers.UpSampling2D(2, interpolation="bilinear"),
    "tf.image.resize": keras.layers.Lambda(lambda x: tf.image.resize(x, (16, 16), "nearest"), output_shape=(16, 16, 4)),
}
found = {}
for name, layer in made.items():
    image = keras.Input((8, 8, 4), batch_size=1)
    content = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, layer(image))).convert()
    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    found[name] = [step["op_name"] for step in interpreter._get_ops_details()]
    most = max(len(tensor["shape"]) for tensor in interpreter.get_tensor_details())
    print(f"  {name}: {', '.join(found[name])}; at most {most} dimensions")
    found[name] = set(found[name]), most
as_found = "TILE" in found["nearest"][0] and found["nearest"][1] == 5
as_found &= found["bilinear"] == ({"RESIZE_BILINEAR"}, 4)
as_found &= found["tf.image.resize"] == ({"RESIZE_NEAREST_NEIGHBOR"}, 4)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= "$folder/venv/bin/python" "$folder/show.py" 2> "$folder/stderr" | grep -E '^  (nearest|bilinear|tf\.image)' \
  || { tail -n 1 "$folder/stderr"; exit 1; }
