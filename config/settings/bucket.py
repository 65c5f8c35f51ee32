"""The bucket that keeps the bytes, as the operator named it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """Where bytes are kept, when not in a directory. Credentials are boto3's own matter."""

    name: str
    endpoint: str | None
    public_endpoint: str | None
    region: str
    uses_path_style: bool
    encryption: str
    part_bytes: int
