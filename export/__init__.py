"""Export: fusing, quantizing, writing TFLite and ONNX, and proving that nothing was lost. Needs the extra `export`."""
