"""Files with their rows and their bytes: what is made of them once, and how tools read them and make new ones."""
