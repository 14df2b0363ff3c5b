"""Code that relies on details which Agent Framework, ChatKit and uvicorn do not promise."""
