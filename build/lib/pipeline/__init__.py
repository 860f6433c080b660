"""ATVGnet: speech -> facial landmarks -> talking-face video, as a reproducible data pipeline."""
