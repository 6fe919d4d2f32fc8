"""Read queries with their true moments: one file a data set, told apart by what is inside."""
