"""Other authorization servers, as they come out of the box, to measure beside Gatehouse."""
