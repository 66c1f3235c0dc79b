"""JavaScript from the module files, in V8 behind a process wall."""
