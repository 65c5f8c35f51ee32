"""How bytes are told apart by their age.

They are as old as the newest file that has them: until that goes, nothing is freed.
"""

from datetime import timedelta
from typing import Final

# Each class reaches to this age; behind the last one is a class without an end.
AGES: Final = (
    timedelta(days=7),
    timedelta(days=30),
    timedelta(days=90),
    timedelta(days=365),
)
