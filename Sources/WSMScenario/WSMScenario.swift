// WSMScenario
