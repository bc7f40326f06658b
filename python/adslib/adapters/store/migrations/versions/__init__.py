"""One file a version, named by its number; none is changed once it was released."""
