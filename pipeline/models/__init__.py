"""The networks of ATVGnet (Chen et al., CVPR 2019) and their losses.

Every network has a `width`, the channels of its first layer (64 in the paper), with which all others scale. Images are
RGB floats in [-1, 1] of 128 or 256 pixels a side. Landmarks are 68 normalised points, x0, y0, x1, y1, ...
"""
