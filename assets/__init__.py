"""The catalogue: one file per stage. An asset reads, calls pure functions, writes through its Stage."""
