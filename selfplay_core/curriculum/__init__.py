"""Which category next, what to ask in it, what has been covered, and a simulator that shows what that is worth."""
