"""Sources of prediction logs. One file each; its one public class is the source, its fields are its options."""
