"""The use cases that come with Parlor, loaded as plugins like anybody else's."""
