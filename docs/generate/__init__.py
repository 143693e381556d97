"""Pages and figures that are made from the code, one file each."""
