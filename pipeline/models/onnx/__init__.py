"""The networks as ONNX, and what a program in any language must know to feed them."""
