"""What is compared, one file each, with its entry in the registry."""
