"""Programs that are not ours: how they are run."""
