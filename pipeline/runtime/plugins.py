"""Registries of plug-ins: each module adds its entries to the registry of their kind."""

from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The key in the registry."""


Entry = TypeVar("Entry", bound=Named)


class Registry(dict[str, Entry], Generic[Entry]):
    """Entries by name, in the order in which they were added."""

    def add(self, *entries: Entry) -> None:
        """Add entries; ValueError if a name is taken."""
        for entry in entries:
            if entry.name in self:
                raise ValueError(f"two entries of a registry are called {entry.name}")
            self[entry.name] = entry
