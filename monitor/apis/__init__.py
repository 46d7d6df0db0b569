"""APIs of other programs, which more than one kind of extension talks to."""
