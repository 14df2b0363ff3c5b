"""The path of an answer: Agent Framework in, ChatKit events out."""
