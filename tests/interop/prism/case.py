"""A request that both gateways get, byte for byte the same."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """A request and the document that describes it."""

    document: str
    method: str
    target: str
    headers: tuple = ()
    body: str | None = None

    def __str__(self):
        """One line that names the request, and no other."""
        parts = [self.document, self.method, self.target]
        parts += [f"[{name}: {value}]" for name, value in self.headers]
        if self.body is not None:
            parts.append(self.body.encode("unicode_escape").decode() or "(empty body)")
        return " ".join(parts)
