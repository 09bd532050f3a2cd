"""Moving in and out: the files of other systems, and our own, as customers."""
