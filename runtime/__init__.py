"""What a device runs. Imports numpy, Pillow, OpenCV and one interpreter, never TensorFlow."""
