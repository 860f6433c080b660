"""The web page: a picture and speech in a browser, and the video that is generated of them."""
