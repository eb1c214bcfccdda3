"""What stands between klingo1 and the open network."""
