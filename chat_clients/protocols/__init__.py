"""The two protocols of model providers: Responses and Chat Completions, requests and answers."""
