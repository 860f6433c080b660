"""Generates talking faces from a picture and speech."""
