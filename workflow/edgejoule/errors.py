"""The one exception that people see: a sentence, never a traceback."""


class EdgejouleError(Exception):
    """Bad input or an impossible request.

    The message is one clear sentence that names the file, the row or key, and the remedy. The command line prints it
    and exits with status 2; anything else that is raised is a defect of edgejoule and keeps its traceback.
    """
