#!/usr/bin/env bash
# TensorFlow 2.21.0's TFLite converter writes files without the weights of a Keras 3.15.1 model, and says nothing.
#
# Input: a Keras model of one dense layer. Guess: tf.saved_model.save(model) and from_saved_model, or
# from_concrete_functions with the model as trackable_obj, which its documentation asks for, give the model's answers.
# Seen: conversion succeeds without a warning about it, and the interpreter answers with whatever lies in memory: numbers
# such as 1e27, which can differ from call to call. TensorFlow does not see the variables of Keras 3, so they are neither
# frozen nor stored. from_keras_model, and model.export() with from_saved_model, give the right answers.
# Why it matters: these are the ways of older tutorials. The file loads and runs on the device; only its answers show it.
# Compare an exported file with its model on real input before it is used.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
given = np.ones((1, 4), np.float32)
right = np.asarray(model(given))
call = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec((1, 4), tf.float32)]).get_concrete_function()
tf.saved_model.save(model, f"{sys.argv[1]}/saved")
model.export(f"{sys.argv[1]}/exported", verbose=False)


def answers_right(converter):
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given)
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    print("  answer", answer[0], "right", right[0])
    return bool(np.allclose(answer, right, atol=1e-4))


ways = {
    "from_keras_model(model)": (tf.lite.TFLiteConverter.from_keras_model(model), True),
    "model.export() and from_saved_model": (tf.lite.TFLiteConverter.from_saved_model(f"{sys.argv[1]}/exported"), True),
    "tf.saved_model.save and from_saved_model": (
        tf.lite.TFLiteConverter.from_saved_model(f"{sys.argv[1]}/saved"), False),
    "from_concrete_functions([call], model)": (
        tf.lite.TFLiteConverter.from_concrete_functions([call], model), False),
}
as_found = True
for name, (converter, expected) in ways.items():
    print(name)
    as_found &= answers_right(converter) is expected
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= "$folder/venv/bin/python" "$folder/show.py" "$folder" 2> "$folder/stderr" \
  || { tail -n 1 "$folder/stderr"; exit 1; }
