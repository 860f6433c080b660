"""The one exception that is meant for the user's eyes."""


class PipelineError(Exception):
    """Something the user can mend: the message names the key or file and says what to do.

    Command lines and stages print it without a traceback and end with exit code 1.
    """
