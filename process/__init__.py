"""The process: start, signals, threads, garbage collection, logging, doctor, loading of use cases."""
