"""Files of people and assistants: what they are, whether they are what they say, where their bytes lie."""
