"""Is the history whole? Recomputes every hash of a tenant's chain."""

from audit.models import Event


def first_break(tenant: str) -> Event | None:
    """Return the first event whose hash, place or predecessor does not fit, or None when the chain is whole.

    It finds rows changed, inserted or removed in the middle. Rows cut off at the end leave a shorter chain that still
    fits: keep the newest hash somewhere else to notice that.
    """
    previous_hash, place = "", 0
    for event in Event.objects.of(tenant).order_by("sequence").iterator(chunk_size=500):
        place += 1
        if event.sequence != place or event.previous_hash != previous_hash or event.hash != event.digest():
            return event
        previous_hash = event.hash
    return None


def is_intact(event: Event) -> bool:
    """Return whether one event's hash fits its content, and its predecessor is the event before it."""
    before = Event.objects.of(event.tenant).filter(sequence=event.sequence - 1).first()
    return event.hash == event.digest() and event.previous_hash == (before.hash if before else "")
