"""Publications: immutable, complete, checked, and swapped in whole."""
