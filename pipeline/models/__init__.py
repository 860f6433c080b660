"""The networks of ATVGnet (Chen et al., CVPR 2019), nothing else.

Every network takes a `width`: the channels of its first layer. 64 is the paper's size, and all other counts
follow in proportion. Images are float in [-1, 1], RGB, of `size` x `size` pixels: 128, the paper's, or 256, for which
each network has one level more, outermost and with half the channels. Landmarks are 68 normalised points as 136 numbers
x0, y0, x1, y1, ...
"""
