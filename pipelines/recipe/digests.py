"""Things in files that a recipe names: two are equal if the files hold the same."""

from abc import ABC, abstractmethod


class ByDigest(ABC):
    """Is its digest, wherever its files stand."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Hex digits: of what its files hold."""

    def __repr__(self) -> str:
        """What a fingerprint sees."""
        return f"{type(self).__name__}({self.digest})"

    def __eq__(self, other: object) -> bool:
        """Whether the files hold the same."""
        return isinstance(other, type(self)) and self.digest == other.digest

    def __hash__(self) -> int:
        """Of what the files hold."""
        return hash(self.digest)
