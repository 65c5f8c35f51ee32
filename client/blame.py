"""Why the store got other bytes than were announced: the file on this machine, or the way."""

from client.errors import FileChanged
from client.files import Hashed, Meant, hash_files


def blame(one: Hashed) -> None:
    """Hash the file once more.

    Raises:
        FileChanged: it was the file.
    """
    (now,) = hash_files([Meant(one.path, one.file)], jobs=1, on_bytes=lambda _read: None)
    if now.digest != one.digest:
        raise FileChanged(file=str(one.file), hashed=one.digest.hex, found=now.digest.hex)
