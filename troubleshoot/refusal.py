"""Why something that was asked for is not done."""


class Refused(Exception):
    """What was asked cannot be done; the message is a sentence for a person."""
