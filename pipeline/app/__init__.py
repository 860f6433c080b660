"""The web page: upload a picture and speech, and get the video."""
