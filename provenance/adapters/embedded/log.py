"""The embedded logs as a port for whoever watches them."""

from provenance.adapters.embedded import trees


class EmbeddedLog:
    """Reads the trees' rows; holds no key."""

    def checkpoint(self, tree: str) -> str:
        return trees.checkpoint(tree)

    def consistency_proof(self, tree: str, first: int, second: int) -> list[bytes]:
        return trees.consistency_proof(tree, first, second)
