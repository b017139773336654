// WSMHarness
