"""The demo: real flights out of New York in 2013 (CC0), a model of their delays, and the daemon's own cycle."""
