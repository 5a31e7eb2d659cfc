"""The service account's key pair: made when it is first asked for, and the same in all of a process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox.google.settings import SERVICE_ACCOUNT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

KEY_ID = "penstock-sandbox-key-1"
CLIENT_ID = "100000000000000000007"


@lru_cache(maxsize=1)
def private_key() -> rsa.RSAPrivateKey:
    """Returns the key, which takes a tenth of a second to make."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(token_url: str) -> dict[str, Any]:
    """Returns the JSON key file of the service account, as Google Cloud gives it.

    Args:
        token_url: Where a client shall ask for tokens.
    """
    from cryptography.hazmat.primitives import serialization

    written = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "penstock-sandbox",
        "private_key_id": KEY_ID,
        "private_key": written.decode("ascii"),
        "client_email": SERVICE_ACCOUNT,
        "client_id": CLIENT_ID,
        "token_uri": token_url,
        "universe_domain": "googleapis.com",
    }
