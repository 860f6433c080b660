"""The networks of a bundle as ONNX, with a description of their inputs for programs in any language."""
