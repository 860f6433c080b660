"""Speech: MFCC at 100 Hz, and the windows of them that belong to video frames."""
