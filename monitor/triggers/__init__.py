"""Ways to retrain. One file each; its one public class is the trigger, its fields are its options."""
