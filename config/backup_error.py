"""Why a backup or its restoring failed."""


class BackupError(Exception):
    """A sentence for whoever runs the command. It holds no password."""
