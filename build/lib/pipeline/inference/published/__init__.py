"""The original release (Chen et al., CVPR 2019): its published weights as files of this project, and the preprocessing
they were trained with.
"""
