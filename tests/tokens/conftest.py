"""Key pairs that the token tests share: making an RSA key costs more than most tests."""

import json
from typing import Any, NamedTuple

import pytest

from tokens import keys


class Pair(NamedTuple):
    private: str
    public: dict[str, Any]

    @property
    def private_members(self) -> dict[str, Any]:
        return json.loads(self.private)


@pytest.fixture(scope="session")
def pairs() -> dict[str, Pair]:
    return {alg: Pair(*keys.generate(alg)) for alg in ("RS256", "RS512", "PS256", "ES256", "EdDSA")}


@pytest.fixture(scope="session")
def other_pairs() -> dict[str, Pair]:
    return {alg: Pair(*keys.generate(alg)) for alg in ("RS256", "RS512", "PS256", "ES256", "EdDSA")}
