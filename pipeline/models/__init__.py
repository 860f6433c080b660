"""The networks of ATVGnet (Chen et al., CVPR 2019) and their losses.

Every network has a `width`, the channels of its first layer; all other layers scale with it. The paper's is 64. Images
are RGB floats in [-1, 1] of `size` x `size` pixels: 128, as in the paper, or 256, for which each network has one more
level, the outermost, with half the channels. Landmarks are 68 normalised points as 136 numbers x0, y0, x1, y1, ...
"""
