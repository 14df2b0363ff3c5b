"""The use cases that come with Parlor; each arrives as a stranger's would."""
