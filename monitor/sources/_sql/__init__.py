"""Parts of the source `sql`: connections, what stands behind FROM, and the ways to read it."""
