"""Model bundles on disk: networks, landmark model and card in one folder; also as ONNX and as MLflow models."""
