"""Documents of strangers as text: each format in a module. Only the program in `files.text_extraction` imports them."""
