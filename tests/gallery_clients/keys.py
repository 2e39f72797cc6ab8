"""Keys that no store knows."""


def wrong(key):
    """Returns a key of the same form with one character changed, none of the last four."""
    return key[:-8] + ("1" if key[-8] == "0" else "0") + key[-7:]
