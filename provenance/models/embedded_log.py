"""The embedded signer's memory: generations of sealed keys, and their Merkle trees, kept whole."""

from django.db import models


class TreeKind(models.TextChoices):
    """What a tree records: the certificates that were issued, or the statements signed."""

    CERTIFICATES = "ct"
    STATEMENTS = "log"


class SignerGeneration(models.Model):
    """One authority and two logs that are announced, used and ended together.

    The trust root believes what they sign between both times, in whole seconds and with both ends;
    nothing at all if it ends before it starts. One that has no trees yet is only announced.
    """

    number = models.PositiveSmallIntegerField(primary_key=True)
    base_url = models.CharField(max_length=200)
    announced_at = models.DateTimeField()
    believed_from = models.DateTimeField()
    believed_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "signer_generation"

    def __str__(self) -> str:
        return f"generation {self.number}"


class LogTree(models.Model):
    """An append-only tree (RFC 6962). Appending locks this row; `size` counts its leaves.

    Its key is the SealedKey of the same name. A retired tree stays as it is for ever: whatever
    it promised can still be proven.
    """

    name = models.CharField(max_length=20, primary_key=True)
    generation = models.ForeignKey(SignerGeneration, on_delete=models.PROTECT)
    kind = models.CharField(max_length=3, choices=TreeKind)
    origin = models.CharField(max_length=200, unique=True)
    size = models.PositiveBigIntegerField(default=0)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "log_tree"
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(retired_at__isnull=True),
                name="one_growing_tree_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.size} leaves)"


class LogLeaf(models.Model):
    """One leaf's exact bytes at its index, committed before any checkpoint covers it."""

    id = models.BigAutoField(primary_key=True)
    tree = models.ForeignKey(LogTree, on_delete=models.PROTECT)
    index = models.PositiveBigIntegerField()
    body = models.BinaryField()
    appended_at = models.DateTimeField()

    class Meta:
        db_table = "log_leaf"
        constraints = [
            models.UniqueConstraint(fields=["tree", "index"], name="one_leaf_per_index"),
        ]

    def __str__(self) -> str:
        return f"{self.tree_id}[{self.index}]"


class LogNode(models.Model):
    """The hash of a perfect subtree: level 0 are leaf hashes, level n covers 2^n leaves."""

    id = models.BigAutoField(primary_key=True)
    tree = models.ForeignKey(LogTree, on_delete=models.PROTECT)
    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "log_node"
        constraints = [
            models.UniqueConstraint(fields=["tree", "level", "index"], name="one_node_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.tree_id}[{self.level}, {self.index}]"


class LogCheckpoint(models.Model):
    """A checkpoint as it was signed, kept before anybody receives it.

    Served to whoever asks, because only the attestor has the key; a second one of the same
    size would be an equivocation and cannot be stored.
    """

    id = models.BigAutoField(primary_key=True)
    tree = models.ForeignKey(LogTree, on_delete=models.PROTECT)
    size = models.PositiveBigIntegerField()
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        db_table = "log_checkpoint"
        constraints = [
            models.UniqueConstraint(fields=["tree", "size"], name="one_checkpoint_per_size"),
        ]

    def __str__(self) -> str:
        return f"{self.tree_id} at {self.size}"


class SealedKey(models.Model):
    """A key of the embedded signer, encrypted under the attestor's key-encryption key.

    `public` is the DER SubjectPublicKeyInfo; `certificate` the DER certificate where it has one.
    """

    name = models.CharField(max_length=20, primary_key=True)
    sealed = models.BinaryField()
    public = models.BinaryField()
    certificate = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "sealed_key"

    def __str__(self) -> str:
        return self.name
