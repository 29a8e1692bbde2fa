"""The identity of an operation, so that a step that runs twice has its effect once.

The generation read at the start is part of it. Without it, the promotion of a model that was promoted before, rolled back and then
chosen again would count as done already.
"""

import hashlib

from ratchet.delivery.deployment import canonical_json


def operation_key(action: str, deployment: str, digest: str, generation: int) -> str:
    """Return the key of an operation.

    Args:
        action: E.g. "promote", "rollback", "register".
        deployment: Name of the deployment.
        digest: Digest of the model package that it is about.
        generation: Generation of the deployment that was read before deciding.

    Returns:
        64 hexadecimal digits.

    >>> operation_key("promote", "fraud", "sha256:aa", 3) == operation_key("promote", "fraud", "sha256:aa", 3)
    True
    >>> operation_key("promote", "fraud", "sha256:aa", 3) == operation_key("promote", "fraud", "sha256:aa", 5)
    False
    """
    return hashlib.sha256(canonical_json([action, deployment, digest, int(generation)]).encode()).hexdigest()
