"""A picture and speech to a talking face."""
