"""An installation: a project folder made from nothing, its settings file, and what is wrong with it."""
