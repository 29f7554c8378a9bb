"""What tools/bv is made of; each module has one purpose, named in its first line."""
