"""The one exception that people see: a sentence, never a traceback."""


class EdgejouleError(Exception):
    """Bad input or an impossible request.

    The message is one clear sentence that names the file, the row or key, and the remedy. The command line prints it
    and exits with status 2; anything else that is raised is a defect of edgejoule and keeps its traceback.

    Args:
        message: the sentence.
        details: what programs get beside it, where they asked for JSON; JSON-able.
    """

    def __init__(self, message: str, details: dict | None = None) -> None:
        super().__init__(message)
        self.details = details or {}
