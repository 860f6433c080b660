"""One person's own models: their video prepared, both networks fine-tuned on it, and what that brought, measured."""
