"""The ladder that a candidate climbs: one file a rung, in the order of their prices."""
