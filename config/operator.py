"""The actor of management commands: whoever may run them on the machine may do everything."""

from typing import Final

from kernel.actor import Actor, Grant, Permission

OPERATOR: Final = Actor("operator", frozenset({Grant(Permission.ADMINISTER)}))
