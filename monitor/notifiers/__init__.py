"""Channels to people. One file each; its one public class is the notifier, its fields are its options."""
