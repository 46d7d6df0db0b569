"""Statistics on profiles: what a window of a prediction log says about its model's reference.

Nothing in this package reads a clock, a file, a network or a configuration: everything is a function of its arguments.
"""
