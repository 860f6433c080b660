"""What stands between the world and the networks, by which weights of different makers differ: how speech is heard, how
a face is cropped, and what landmarks and coefficients mean.
"""
