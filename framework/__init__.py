"""All that relies on what Agent Framework, ChatKit and uvicorn do not promise."""
