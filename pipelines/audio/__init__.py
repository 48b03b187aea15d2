"""From a sound file to who speaks when, how loud, how clean and how high. Pure: reads a file, returns values."""
