"""Who makes a change, as text: people, applications and the server itself look alike to the history."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who changes something. `ip` and `user_agent` are "" where there was no request."""

    id: str
    name: str
    ip: str = ""
    user_agent: str = ""


SERVER = Actor(id="", name="Gatehouse")


def command(name: str) -> Actor:
    """Return the actor for a change made on the server's own command line."""
    return Actor(id="", name=f"manage.py {name}")
