"""Files with their rows and bytes: upload, removal, renditions, and the objects that tools get."""
