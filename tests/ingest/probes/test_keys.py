"""Key records as people publish them: read with their white space, withdrawn, of any length, and broken."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ingest.probes import keys


def der(kind: int, body: bytes) -> bytes:
    length = len(body)
    if length < 0x80:
        return bytes([kind, length]) + body
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([kind, 0x80 + len(size)]) + size + body


def bare(modulus: int) -> bytes:
    """An RSAPublicKey."""
    number = modulus.to_bytes(modulus.bit_length() // 8 + 1, "big")
    return der(0x30, der(0x02, number) + der(0x02, b"\x01\x00\x01"))


def record(key: bytes, more: str = "v=DKIM1; k=rsa; ") -> str:
    return f"{more}p={base64.b64encode(key).decode()}"


def published(bits: int) -> str:
    """The record of a key of so many bits."""
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return record(der(0x30, algorithm + der(0x03, b"\x00" + bare((1 << (bits - 1)) + 1))))


@pytest.mark.parametrize("bits", [512, 768, 1024, 2048, 4096])
def test_the_length_of_a_key_is_read(bits: int) -> None:
    assert keys.bits(published(bits)) == bits
    assert keys.bits(record(bare((1 << (bits - 1)) + 1), "")) == bits


def test_a_real_key_is_read() -> None:
    made = rsa.generate_private_key(65537, 2048).public_key()
    real = record(made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert keys.bits(f"{real[:90]} \t {real[90:]}") == 2048
    assert not keys.withdrawn(real)
    other = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert keys.bits(record(other, "v=DKIM1; k=ed25519; ")) is None


@pytest.mark.parametrize("text", ["v=DKIM1; p=", "p=;", "v=DKIM1;k=rsa;p= \t"])
def test_an_empty_key_is_withdrawn(text: str) -> None:
    assert keys.withdrawn(text)
    assert keys.bits(text) is None


def test_what_is_no_key_is_not_kept() -> None:
    assert keys.records(("v=spf1 -all", "site=1", "p=", "V=x; P=1", "")) == ("p=",)


@given(st.text() | st.binary(max_size=60).map(record) | st.just(published(1024)).map(lambda text: text[:90]))
def test_nothing_breaks_it(text: str) -> None:
    length = keys.bits(text)
    assert length is None or length > 0
    assert keys.withdrawn(text) <= bool(keys.records([text]))
