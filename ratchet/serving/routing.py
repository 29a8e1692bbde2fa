"""Which requests the challenger answers: a stable hash of the rollout and the request's key.

A key keeps its place for the whole rollout, so a card or a user is not thrown back and forth, and whoever is in at 5% is in at 25%. Another
rollout draws anew, or the same few customers would meet every challenger first.
"""

import hashlib

PLACES = float(1 << 53)  # as many as a double tells apart, so that the last one is below 100


def bucket(key: str, salt: str) -> float:
    """Return a key's place in [0, 100), the same in every process and on every machine.

    Args:
        key: The request's key.
        salt: Identity of the rollout.

    >>> round(bucket("card 1", "fraud:7"), 3)
    91.073
    """
    text = f"{len(salt)}:{salt}{key}".encode("utf-8", "surrogatepass")
    return (int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 11) / PLACES * 100


def is_in_share(key: str, salt: str, percent: float) -> bool:
    """Return whether a request with this key is the challenger's.

    Args:
        key: The request's key.
        salt: Identity of the rollout.
        percent: The challenger's share, 0 to 100.

    >>> is_in_share("card 1", "fraud:7", 0), is_in_share("card 1", "fraud:7", 100)
    (False, True)
    """
    return bucket(key, salt) < percent
