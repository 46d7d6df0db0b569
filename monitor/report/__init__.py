"""The HTML report and its charts, made from the store alone."""
