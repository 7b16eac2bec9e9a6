"""Key pairs for tests, each made once, in the formats that people use."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

MAKE: dict[str, Any] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "another": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "short RSA": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 # must be rejected
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "X25519": x25519.X25519PrivateKey.generate,
}


MADE: dict[str, Any] = {}


def pair(kind: str = "P-256") -> Any:
    """The key pair of this kind, the same one each time."""
    if kind not in MADE:
        MADE[kind] = MAKE[kind]()
    return MADE[kind]


def pem(kind: str = "P-256", *, form: PrivateFormat = PrivateFormat.PKCS8, password: str = "") -> str:
    """The private key, as PEM."""
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    text: bytes = pair(kind).private_bytes(Encoding.PEM, form, encryption)
    return text.decode()


def bare(kind: str = "P-256", *, password: str = "") -> str:
    """The private key, as base64 of PKCS#8, in one line."""
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return base64.b64encode(pair(kind).private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption)).decode()


def public(kind: str = "P-256") -> str:
    """The public key, as PEM."""
    text: bytes = pair(kind).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()
