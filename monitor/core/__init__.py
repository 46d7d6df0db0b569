"""The pure middle: windows, verdicts, incidents, notices. Functions of their arguments alone."""
